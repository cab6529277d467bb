"""Which lines are one payment: laws that hold for every file, and planted mistakes that break them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.zones import zone
from services.statements import identity
from services.statements.facts import distinct, fact_lines
from services.statements.identity import BY_DOCUMENT, BY_REFERENCE, BY_TEXT, Named, named
from services.statements.lines import Assumed, Line, Statement, bare, same_account
from services.statements.reading import of_account, read
from tests.support.statement_files import OURS, THEIRS, camt, document, entry, exchange, mt940

FIRST = date(2026, 10, 1)
Naming = Callable[[Iterable[Line]], Iterator[Named]]
LINES = st.lists(
    st.builds(
        Line,
        place=st.just(0),
        day=st.integers(0, 3).map(lambda days: FIRST + timedelta(days)),
        amount_minor=st.sampled_from([100, -100, 500]),
        currency=st.sampled_from(["UAH", "USD"]),
        account=st.just(OURS),
        bank_reference=st.sampled_from(["", "B1", "B2"]),
        document=st.sampled_from(["", "41"]),
        iban=st.sampled_from(["", THEIRS]),
        purpose=st.sampled_from(["", "D-7"]),
    ),
    max_size=12,
).map(lambda lines: sorted(lines, key=lambda line: line.day))


def payments(naming: Naming, *files: list[Line]) -> set[tuple[str, str]]:
    return {(one.provider, one.payment) for lines in files for one in naming(lines)}


def each_line_is_a_payment(naming: Naming, lines: list[Line]) -> bool:
    return len(payments(naming, lines)) == len(lines)


def overlapping_files_are_one(naming: Naming, lines: list[Line], until: date, since: date) -> bool:
    """`until` and `since`: the last day of the first file and the first day of the second, which may be before."""
    halves = [line for line in lines if line.day <= until], [line for line in lines if line.day >= since]
    return payments(naming, *halves) == payments(naming, lines)


@given(LINES)
def test_equal_lines_of_one_day_are_as_many_payments(lines: list[Line]) -> None:
    assert each_line_is_a_payment(named, lines)


@given(LINES, st.integers(0, 3), st.integers(0, 3))
def test_a_file_that_is_split_at_any_day_gives_the_same_payments(lines: list[Line], until: int, back: int) -> None:
    last = FIRST + timedelta(until)
    assert overlapping_files_are_one(named, lines, last, last + timedelta(1) - timedelta(back))


@given(LINES)
def test_what_a_payment_says_stays_with_it(lines: list[Line]) -> None:
    """Whatever the order of different lines in a file: banks give the newest first or last."""
    orders = [[(one.payment, one.line.amount_minor) for one in naming] for naming in (named(lines), named(lines[::-1]))]
    assert sorted(orders[0]) == sorted(orders[1])


def without_count(lines: Iterable[Line]) -> Iterator[Named]:
    return (Named(line, *next((one.provider, one.payment) for one in named([line]))) for line in lines)


def by_place(lines: Iterable[Line]) -> Iterator[Named]:
    return (Named(line, "statement", f"{OURS}/{number}") for number, line in enumerate(lines))


def counted_over_days(lines: Iterable[Line]) -> Iterator[Named]:
    kept = list(lines)
    return (
        Named(line, one.provider, one.payment)
        for line, one in zip(kept, named(replace(line, day=FIRST) for line in kept), strict=True)
    )


TWINS = [Line(place=n, day=FIRST, amount_minor=100, currency="UAH", account=OURS) for n in (1, 2)]
NEXT_DAY = [*TWINS, replace(TWINS[0], day=FIRST + timedelta(1))]


@pytest.mark.parametrize(
    ("planted", "holds"),
    [
        (named, (True, True)),
        (without_count, (False, True)),
        (by_place, (True, False)),
        (counted_over_days, (True, False)),
    ],
)
def test_the_laws_find_planted_mistakes(planted: Naming, holds: tuple[bool, bool]) -> None:
    following = FIRST + timedelta(1)
    assert (
        each_line_is_a_payment(planted, TWINS),
        overlapping_files_are_one(planted, NEXT_DAY, FIRST, following),
    ) == holds


@pytest.mark.parametrize(
    ("said", "provider"),
    [
        ({"bank_reference": "B1", "document": "41", "iban": THEIRS}, BY_REFERENCE),
        ({"document": "41", "iban": THEIRS}, BY_DOCUMENT),
        ({"document": "41"}, BY_TEXT),
        ({"iban": THEIRS}, BY_TEXT),
    ],
)
def test_how_a_line_is_named(said: dict[str, Any], provider: str) -> None:
    (one,) = named([Line(place=1, day=FIRST, amount_minor=100, currency="UAH", account=OURS, **said)])
    assert one.provider == provider


def test_two_formats_of_one_bank_agree_where_its_reference_is_in_both() -> None:
    swift = read(mt940(":61:2610011001C10,50NTRFNONREF//B1", ":86:Оплата"), Assumed())
    xml = read(camt(entry("10.50", more="<AcctSvcrRef>B1</AcctSvcrRef>")), Assumed())
    one, two = (payments(named, found.statements[0].lines) for found in (swift, xml))
    assert one == two


@pytest.mark.parametrize("said", [OURS, "26001234567890"])
@pytest.mark.parametrize("written", [OURS, "26001234567890", f"{OURS[:4]} {OURS[4:]}"])
def test_spellings_of_one_account_agree_where_one_is_an_iban(said: str, written: str) -> None:
    reading = of_account(read(mt940(":61:2610011001C10,50NTRFNONREF", account=written), Assumed()), said)
    (line,) = reading.statements[0].lines
    assert bare(line.account) == (said if OURS not in (said, bare(written)) else OURS)


def test_an_account_is_not_another_that_it_ends_like() -> None:
    """The number alone is padded with zeros in an IBAN: other digits before it make it another account."""
    longer = f"{OURS[:10]}0000126001234567890"
    assert same_account(OURS, "26001234567890")
    assert not same_account(longer, "6001234567890")
    assert not same_account(OURS, "67890")
    assert not same_account(OURS, THEIRS)


def test_spellings_of_one_text_agree() -> None:
    assert identity.folded("Оплата за пiдписку,  №7") == identity.folded("ОПЛАТА ЗА ПІДПИСКУ №7")
    assert identity.folded("D-7") != identity.folded("D-8")


def test_a_pending_line_and_the_booked_one_are_one_payment() -> None:
    reference = "<AcctSvcrRef>B1</AcctSvcrRef>"
    booked = entry("10.50", more=reference)
    pending = booked.replace("BOOK", "PDNG")
    facts = [dict_of(read(camt(one), Assumed()).statements) for one in (pending, booked)]
    assert [fact["status"] for fact in facts] == ["created", "settled"]
    assert facts[0]["payment"] == facts[1]["payment"]
    assert facts[0]["id"] != facts[1]["id"]


def dict_of(statements: list[Statement]) -> dict[str, Any]:
    import msgspec

    ((_, fact),) = fact_lines(statements, zone("Europe/Kyiv"))
    found: dict[str, Any] = msgspec.json.decode(fact)
    return found


def test_a_fact_says_all_that_a_line_says() -> None:
    text = exchange(document("41", "4500.50", THEIRS, OURS, "Оплата за угоду D-7"))
    fact = dict_of(read(text.encode("cp1251"), Assumed(currency="UAH")).statements)
    assert fact == {
        "id": f"statement-document/{fact['payment']}/{fact['id'].rpartition('/')[2]}",
        "type": "PaymentReported",
        "provider": "statement-document",
        "payment": fact["payment"],
        "status": "settled",
        "amount_minor": 450050,
        "currency": "UAH",
        "changed_at": "2026-10-05T00:00:00+03:00",
        "purpose": "Оплата за угоду D-7",
        "reference": "",
        "payer": {"name": "ФОП Ковальчук О. П.", "iban": THEIRS, "tax_id": "3012345678"},
        "account": OURS,
    }
    assert fact["payment"].startswith(f"{OURS}/2026-10-05/")


def test_the_payer_has_no_account_that_other_banks_have_too() -> None:
    """A number without its bank is many people's, and so is a customer's number that is no tax number."""
    line = Line(place=1, day=FIRST, amount_minor=100, currency="UAH", account=OURS, iban="26001234567", tax_id="17")
    assert dict_of([Statement(lines=[line])])["payer"] == {"name": "", "iban": "", "tax_id": ""}


def test_a_reversal_is_known_as_no_customers_payment() -> None:
    from crm.decisions.purpose import read as words_in

    (statement,) = read(mt940(":61:2610011001RD10,00NTRFNONREF//B1", ":86:Invoice 7"), Assumed()).statements
    purpose = dict_of([statement])["purpose"]
    assert purpose == "Reversal. Invoice 7"
    assert words_in(purpose).not_a_customers == "reversal"


def test_a_statement_that_its_file_holds_twice_is_one() -> None:
    one = mt940(":61:2610011001C10,00NTRFNONREF", closing="C261001UAH10,00")
    assert len(distinct(read(one + one, Assumed()).statements)) == 1
    other = mt940(":61:2610011001C10,00NTRFNONREF", opening="C261001UAH10,00", closing="C261001UAH20,00")
    assert len(distinct(read(one + other, Assumed()).statements)) == 2
