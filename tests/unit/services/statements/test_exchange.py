"""1CClientBankExchange: directions, own transfers, charsets, balances, and files that are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.statements.lines import Assumed, Reading
from services.statements.reading import read
from tests.support.statement_files import OTHERS, OURS, THEIRS, document, exchange

UAH = Assumed(currency="UAH")
IN = document("41", "4500.50", THEIRS, OURS, "Оплата за угоду D-7")
OUT = document("42", "70000.00", OURS, THEIRS, "Оренда")
SECOND = "UA773220010000026001111111111"


def reading(text: str, charset: str = "cp1251", assumed: Assumed = UAH) -> Reading:
    return read(text.encode(charset), assumed)


@pytest.mark.parametrize("charset", ["cp1251", "cp866", "utf-8", "utf-8-sig", "utf-16", "koi8-u"])
def test_money_in_and_out(charset: str) -> None:
    (statement,) = reading(exchange(IN, OUT).replace("угоду", "договор").replace("і", "i"), charset).statements
    first, second = statement.lines
    assert (statement.account, first.amount_minor, second.amount_minor) == (OURS, 450050, -7000000)
    assert (first.name, first.iban, first.tax_id) == ("ФОП Ковальчук О. П.", THEIRS, "3012345678")
    assert (first.document, first.purpose, str(first.day)) == ("41", "Оплата за договор D-7", "2026-10-05")
    assert (second.name, second.iban, second.tax_id) == ("ТОВ Компанiя", THEIRS, "12345678")


def test_ukrainian_letters_of_dos() -> None:
    """Programs for DOS say 866 and mean its Ukrainian variant, which has the letters і, ї, є and ґ."""
    text = exchange(document("1", "1.00", THEIRS, OURS, "Їжа, ґанок і двері за угоду: сплата від Євгенії Кіщук"))
    (line,) = reading(text, "cp1125").statements[0].lines
    assert line.purpose == "Їжа, ґанок і двері за угоду: сплата від Євгенії Кіщук"


def test_the_currency_must_be_said() -> None:
    found = reading(exchange(IN), assumed=Assumed())
    assert (found.statements, len(found.problems)) == ([], 1)
    assert "Say it with --currency" in found.problems[0].sentence


def test_a_transfer_between_two_own_accounts_is_a_line_of_each() -> None:
    text = exchange(document("1", "5.00", OURS, SECOND, "Власні кошти")).replace(
        f"РасчСчет={OURS}\n", f"РасчСчет={OURS}\nРасчСчет={SECOND}\n", 1
    )
    lines = [(one.account, line.amount_minor) for one in reading(text).statements for line in one.lines]
    assert lines == [(OURS, -500), (SECOND, 500)]


def test_a_document_of_other_accounts_is_a_reason() -> None:
    found = reading(exchange(IN, document("43", "1.00", THEIRS, OTHERS, "x"), OUT))
    assert [line.amount_minor for line in found.statements[0].lines] == [450050, -7000000]
    assert [one.sentence for one in found.problems] == [
        "It cannot be read: neither its payer nor its payee is an account of this statement."
    ]


@pytest.mark.parametrize("amount", ["", "1,000", "-5.00", "1.005", "п'ять"])
def test_a_sum_that_is_not_certain_is_a_reason(amount: str) -> None:
    found = reading(exchange(document("43", amount, THEIRS, OURS, "x"), IN))
    assert [line.amount_minor for line in found.statements[0].lines] == [450050]
    assert len(found.problems) == 1


def test_balances_of_several_days() -> None:
    first = "НачальныйОстаток=0.00\nКонечныйОстаток=4500.50\n"
    text = exchange(IN, OUT, balances=first).replace(
        "КонецРасчСчет\n",
        f"КонецРасчСчет\nСекцияРасчСчет\nРасчСчет={OURS}\nНачальныйОстаток=4500.50\nКонечныйОстаток=-65499.50\nКонецРасчСчет\n",
    )
    assert reading(text).statements[0].checks == []
    assert "do not add up" in reading(text.replace("-65499.50", "-65499.49")).statements[0].checks[0]


WHOLE = exchange(*(document(str(n), f"{n}.00", THEIRS, OURS, f"D-{n}") for n in range(1, 9))).encode("cp1251")
END = "КонецДокумента".encode("cp1251")


@given(st.integers(30, len(WHOLE) - 1))
def test_a_file_that_is_cut_gives_every_whole_document_before(end: int) -> None:
    found = read(WHOLE[:end], UAH)
    made = [line.amount_minor for one in found.statements for line in one.lines]
    assert made == [n * 100 for n in range(1, WHOLE[:end].count(END) + 1)]
    assert found.problems


@pytest.mark.parametrize("older", ["26001234567890", "0026001234567890"])
def test_an_account_by_its_older_number(older: str) -> None:
    (line,) = reading(exchange(document("1", "1.00", THEIRS, older, "x"))).statements[0].lines
    assert line.amount_minor == 100
