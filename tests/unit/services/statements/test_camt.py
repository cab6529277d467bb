"""camt.052, 053 and 054: batches, currencies, reversals, versions, and files that are cut or an attack."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycamt.parser import Camt053Parser

from services.statements.lines import Assumed, Reading, State
from services.statements.reading import read
from tests.support.statement_files import NAMESPACE, OURS, THEIRS, balance, camt, entry

PARTY = "<RltdPties><Dbtr>{name}</Dbtr><DbtrAcct><Id><IBAN>" + THEIRS + "</IBAN></Id></DbtrAcct></RltdPties>"
NAME, PARTY_NAME = "<Nm>Ковальчук О. П.</Nm>", "<Pty><Nm>Ковальчук О. П.</Nm></Pty>"


def reading(*entries: str, **said: str) -> Reading:
    return read(camt(*entries, **said), Assumed())


def part(amount: str, more: str = "", currency: str = "UAH") -> str:
    return f'<TxDtls><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{more}</TxDtls>'


def details(*parts: str) -> str:
    return f"<NtryDtls>{''.join(parts)}</NtryDtls>"


@pytest.mark.parametrize("version", ["053.001.02", "053.001.08", "053.001.13", "052.001.06", "054.001.04"])
@pytest.mark.parametrize("name", [NAME, PARTY_NAME])
def test_every_version_is_read_alike(version: str, name: str) -> None:
    more = "<AcctSvcrRef>B1</AcctSvcrRef>" + details(
        "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        + PARTY.format(name=name)
        + "<RmtInf><Ustrd>Оплата за угоду</Ustrd><Ustrd>D-7</Ustrd></RmtInf></TxDtls>"
    )
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.{version}"
    (statement,) = reading(entry("4500.50", more=more), namespace=namespace).statements
    (line,) = statement.lines
    assert (line.amount_minor, line.currency, line.account, str(line.day)) == (450050, "UAH", OURS, "2026-10-01")
    assert (line.name, line.iban, line.purpose) == ("Ковальчук О. П.", THEIRS, "Оплата за угоду D-7")
    assert (line.bank_reference, line.end_to_end) == ("B1", "")
    assert statement.interim == (version[:3] != "053")


def test_a_batch_is_split_where_its_parts_make_the_whole() -> None:
    parts = details(part("10.00", "<Refs><EndToEndId>a</EndToEndId></Refs>"), part("20.50"), part("0.01"))
    (statement,) = reading(entry("30.51", more=f"<AcctSvcrRef>B1</AcctSvcrRef>{parts}")).statements
    assert [line.amount_minor for line in statement.lines] == [1000, 2050, 1]
    assert [line.end_to_end for line in statement.lines] == ["a", "", ""]
    assert statement.checks == []


@pytest.mark.parametrize(
    "parts",
    [
        (part("10.00"), part("20.00")),
        (part("10.00"), part("20.51", currency="EUR")),
        ("<TxDtls></TxDtls>", "<TxDtls></TxDtls>"),
        (part("30.51"), part("0")),
    ],
)
def test_a_batch_whose_parts_do_not_make_the_whole_is_one_payment_and_that_is_said(parts: tuple[str, str]) -> None:
    (statement,) = reading(entry("30.51", more=details(*parts))).statements
    assert [line.amount_minor for line in statement.lines] == [3051]
    assert statement.checks == ["Entry 1 is a batch of 2 whose parts do not come to 30.51 UAH: it is one payment."]


def test_a_batch_without_its_parts_is_said() -> None:
    (statement,) = reading(entry("30.51", more="<NtryDtls><Btch><NbOfTxs>20</NbOfTxs></Btch></NtryDtls>")).statements
    assert statement.checks == ["Entry 1 is a batch of 20 without its parts: it is one payment of 30.51 UAH."]


def test_the_sum_is_the_accounts_and_not_the_payers() -> None:
    """Where pycamt is not right: it gives 100.00 UAH where 100.00 USD came as 4,500.00 UAH."""
    foreign = details('<TxDtls><AmtDtls><InstdAmt><Amt Ccy="USD">100.00</Amt></InstdAmt></AmtDtls></TxDtls>')
    body = camt(entry("4500.00", more=foreign))
    (theirs,) = Camt053Parser(body).get_transactions()
    assert (theirs["Amount"], theirs["Currency"]) == ("100.00", "UAH")
    (line,) = read(body, Assumed()).statements[0].lines
    assert (line.amount_minor, line.currency) == (450000, "UAH")


def test_the_library_doubles_a_batch_without_sums() -> None:
    """Where pycamt is not right: each of two parts without a sum of its own has the sum of the whole batch."""
    body = camt(entry("300.00", more=details("<TxDtls></TxDtls>", "<TxDtls></TxDtls>")))
    assert [one["Amount"] for one in Camt053Parser(body).get_transactions()] == ["300.00", "300.00"]
    assert [line.amount_minor for line in read(body, Assumed()).statements[0].lines] == [30000]


@pytest.mark.parametrize(("direction", "amount_minor"), [("CRDT", 30000), ("DBIT", -30000)])
def test_a_reversal_has_the_sign_of_its_entry(direction: str, amount_minor: int) -> None:
    """ISO 20022: a debit entry with RvslInd reverses a credit, and money goes out."""
    (line,) = reading(entry("300.00", direction, "<RvslInd>true</RvslInd>")).statements[0].lines
    assert (line.amount_minor, line.reversal) == (amount_minor, True)


def test_what_is_pending_is_no_money_yet_and_information_is_left_out() -> None:
    pending = entry("10.00").replace("BOOK", "PDNG")
    versioned = entry("20.00").replace("BOOK", "<Cd>PDNG</Cd>")
    (statement,) = reading(pending, versioned, entry("30.00").replace("BOOK", "INFO"), entry("40.00")).statements
    assert [(line.amount_minor, line.state) for line in statement.lines] == [
        (1000, State.PENDING),
        (2000, State.PENDING),
        (4000, State.BOOKED),
    ]
    assert statement.checks == ["Entry 3 was left out: its status is INFO, so it moved no money."]


def test_several_currencies_have_balances_of_their_own() -> None:
    header = balance("OPBD", "0") + balance("OPBD", "0", "USD") + balance("CLBD", "10.00") + balance("CLBD", "5", "USD")
    (statement,) = reading(entry("10.00"), entry("4.99", currency="USD"), header=header).statements
    assert statement.checks == [
        "The balances do not add up: 0.00 USD and its lines make 4.99 USD, and it ends with 5.00 USD."
    ]


def test_a_time_with_its_zone() -> None:
    moment = "<BookgDt><DtTm>2026-10-01T09:14:00+03:00</DtTm></BookgDt>"
    written = entry("10.00").replace("<BookgDt><Dt>2026-10-01</Dt></BookgDt>", moment)
    (line,) = reading(written).statements[0].lines
    assert isinstance(line.at, datetime)
    assert line.at.astimezone(UTC).isoformat() == "2026-10-01T06:14:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (entry("10.005"), "more decimals than UAH has"),
        (entry("1e400"), "past all measure"),
        (entry("NaN"), "no sum of money"),
        (entry("zehn"), "'zehn' is no sum"),
        (entry("10.00", currency="DEM"), "'DEM' is no currency"),
        (entry("10.00", "BOTH"), "whether it came in or went out is not said: 'BOTH'"),
        (entry("10.00", day="2026-02-30"), "'2026-02-30' is no day"),
    ],
)
def test_an_entry_that_cannot_be_read_is_a_reason_and_the_rest_goes_in(wrong: str, reason: str) -> None:
    found = reading(entry("1.00"), wrong, entry("2.00"))
    assert [line.amount_minor for line in found.statements[0].lines] == [100, 200]
    (problem,) = found.problems
    assert problem.place == 2
    assert reason in problem.sentence


WHOLE = camt(*(entry(f"{n}.00") for n in range(1, 9)), header=balance("OPBD", "0") + balance("CLBD", "36.00"))


@given(st.integers(0, len(WHOLE)))
def test_a_file_that_is_cut_gives_every_whole_entry_before(end: int) -> None:
    found = read(WHOLE[:end], Assumed())
    whole = WHOLE[:end].count(b"</Ntry>")
    assert [line.amount_minor for one in found.statements for line in one.lines] == [
        n * 100 for n in range(1, whole + 1)
    ]
    assert bool(found.problems) == (end < len(WHOLE))
    if 0 < whole < 8:
        assert found.problems[0].sentence.startswith("It breaks off or is damaged in line ")
        assert "do not add up" in found.statements[0].checks[0]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE d [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE d SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_document_type_is_refused_as_a_whole(doctype: str) -> None:
    body = camt(entry("10.00")).replace(b"?>\n", b"?>" + doctype.encode() + b"\n", 1)
    found = read(body, Assumed())
    assert found.statements == []
    assert [one.sentence for one in found.problems] == [
        "It declares a document type, which no statement needs and which can be an attack. Nothing of it was read."
    ]


@pytest.mark.parametrize("body", [b"<a/>", b"<html><body>x</body></html>", camt().replace(b"Stmt", b"Other")])
def test_other_xml_is_said(body: bytes) -> None:
    assert "It holds no statement" in read(body, Assumed()).problems[0].sentence


def test_cp1251_as_its_declaration_says() -> None:
    body = (
        camt(entry("10.00", more="<AddtlNtryInf>Оплата D-7</AddtlNtryInf>")).decode().replace("UTF-8", "windows-1251")
    )
    (line,) = read(body.encode("cp1251"), Assumed()).statements[0].lines
    assert line.purpose == "Оплата D-7"


def test_the_namespace_may_be_left_out() -> None:
    body = camt(entry("10.00")).replace(f' xmlns="{NAMESPACE}"'.encode(), b"")
    assert [line.amount_minor for line in read(body, Assumed()).statements[0].lines] == [1000]
