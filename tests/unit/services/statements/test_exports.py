"""CSV of client-bank programs: headers, signs, charsets, quotes, and what a file does not say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.statements.lines import Assumed, Line, Reading
from services.statements.reading import read
from tests.support.statement_files import OURS, THEIRS

SIGNED = (
    "ЄДРПОУ;МФО;Рахунок;Валюта;Номер документу;Дата операції;МФО банку;Назва банку;Рахунок кореспондента;ЄДРПОУ "
    "кореспондента;Кореспондент;Сума;Призначення платежу;"
)
TWO_COLUMNS = (
    "ЄДРПОУ;МФО;Рахунок;Валюта;Дата операції;Код операції;МФО банка;Назва банка;Рахунок кореспондента;ЄДРПОУ "
    "кореспондента;Кореспондент;Документ;Дата документа;Дебет;Кредит;Призначення платежу;Гривневе покриття"
)
CARD = (
    '"Дата i час операції","Деталі операції",MCC,"Сума в валюті картки (UAH)","Сума в валюті операції",Валюта,Курс,'
    '"Сума комісій (UAH)","Сума кешбеку (UAH)","Залишок після операції"'
)


def row(amount: str, purpose: str = "Оплата D-7", name: str = "ФОП Ковальчук", day: str = "05.10.2026") -> str:
    return f"12345678;305299;{OURS};UAH;41;{day};322001;БАНК;{THEIRS};3012345678;{name};{amount};{purpose};"


def lines(reading: Reading) -> list[Line]:
    return [line for statement in reading.statements for line in statement.lines]


def sums(body: bytes, **assumed: str) -> list[int]:
    return [line.amount_minor for line in lines(read(body, Assumed(**assumed)))]


@pytest.mark.parametrize("charset", ["cp1251", "utf-8", "utf-8-sig", "utf-16"])
def test_one_column_of_sums_with_signs(charset: str) -> None:
    text = "\n".join((SIGNED, row("4 500.50"), row("-70 000.00"), row("0.01"), ""))
    found = read(text.encode(charset), Assumed())
    first, second, third = lines(found)
    assert (found.problems, [first.amount_minor, second.amount_minor, third.amount_minor]) == (
        [],
        [450050, -7000000, 1],
    )
    assert (first.account, first.iban, first.tax_id, first.name) == (OURS, THEIRS, "3012345678", "ФОП Ковальчук")
    assert (first.document, first.purpose, str(first.day), first.currency) == ("41", "Оплата D-7", "2026-10-05", "UAH")


def test_latin_letters_in_the_header() -> None:
    """A bank writes the Latin i for the Ukrainian one, in headers too."""
    text = "\n".join((SIGNED.replace("і", "i"), row("1.00")))
    assert sums(text.encode("cp1251")) == [100]


@pytest.mark.parametrize("name", ['АТ "Банк"', '"Альфа" ТОВ', 'ТОВ "Альфа', '"Альфа"'])
def test_quotes_that_nobody_escaped(name: str) -> None:
    text = "\n".join((SIGNED, row("1.00", name=name), row("2.00"), row("3.00", name=name), row("4.00")))
    found = lines(read(text.encode("cp1251"), Assumed()))
    assert [line.amount_minor for line in found] == [100, 200, 300, 400]
    assert found[0].name in (name, name.strip('"'))


def test_a_purpose_with_the_delimiter_in_it() -> None:
    text = "\n".join((SIGNED, row("1.00", purpose="Оплата; за угоду; D-7")))
    assert lines(read(text.encode(), Assumed()))[0].purpose == "Оплата; за угоду; D-7"


def test_a_cell_too_many_elsewhere_is_a_reason() -> None:
    bad = row("1.00", purpose="x").replace("UAH", "UAH;UAH")
    found = read("\n".join((SIGNED.replace(";Призначення платежу", ""), bad)).encode(), Assumed())
    assert (lines(found), found.problems[0].place) == ([], 2)
    assert "cells, and the header names 12 columns" in found.problems[0].sentence


def test_a_column_for_debit_and_one_for_credit() -> None:
    def line(debit: str, credit: str) -> str:
        head = f"12345678;380805;{OURS};UAH;05.10.2026 09:14;6;322001;БАНК;{THEIRS};3012345678"
        return f"{head};ФОП Ковальчук;41;05.10.2026;{debit};{credit};Оплата D-7;0"

    text = "\n".join((TWO_COLUMNS, line("", "4500,50"), line("100,00", ""), line("-7,00", ""), line("1,00", "1,00")))
    found = read(text.encode("cp1251"), Assumed())
    assert [line.amount_minor for line in lines(found)] == [450050, -10000, 700]
    assert str(lines(found)[0].at) == "09:14:00"
    assert [one.sentence for one in found.problems] == ["It cannot be read: it has a debit and a credit."]


def test_the_sum_in_the_cards_currency() -> None:
    text = f'{CARD}\n"12.07.2026 01:23:59","Hotel, Wien",7011,-4500.3,-100.0,EUR,45.003,—,—,12.5\n'
    (line,) = lines(read(text.encode(), Assumed(account="26001234567890")))
    assert (line.amount_minor, line.currency, line.purpose) == (-450030, "UAH", "Hotel, Wien")
    text = text.replace("картки (UAH)", "картки")
    assert "in which currency" in read(text.encode(), Assumed(account="26001234567890")).problems[0].sentence


def test_what_the_file_does_not_say_needs_an_option() -> None:
    text = "Дата;Сума;Призначення\n05.10.2026;10,00;x\n"
    found = read(text.encode(), Assumed())
    assert "Say it with --currency" in found.problems[0].sentence
    found = read(text.encode(), Assumed(currency="UAH"))
    assert "Say it with --account" in found.problems[0].sentence
    assert sums(text.encode(), currency="UAH", account=OURS) == [1000]


def test_an_account_and_balances_around_the_table() -> None:
    text = (
        f"Виписка по рахунку;{OURS} UAH\nВхідний залишок;100,00\nДата;Сума;Валюта;Призначення\n05.10.2026;10,00;UAH;x\n"
        "Разом;10,00\nВихідний залишок;110,00\n"
    )
    found = read(text.encode(), Assumed())
    assert (found.problems, found.statements[0].checks, lines(found)[0].account) == ([], [], OURS)
    found = read(text.replace("110,00", "111,00").encode(), Assumed())
    assert "do not add up" in found.statements[0].checks[0]


def test_a_charset_that_changes_in_the_middle() -> None:
    rows = [SIGNED.encode("cp1251"), row("1.00", "Оплата за угоду").encode("cp1251")]
    body = b"\n".join((*rows, row("2.00", "Сплата від Ковальчука").encode()))
    assert [line.purpose for line in lines(read(body, Assumed()))] == ["Оплата за угоду", "Сплата від Ковальчука"]


@pytest.mark.parametrize("wrong", ["1,234", "1.005", "сто", "", "12.345,67.8"])
def test_a_sum_that_is_not_certain_is_a_reason(wrong: str) -> None:
    found = read("\n".join((SIGNED, row(wrong), row("2.00"))).encode(), Assumed())
    assert ([line.amount_minor for line in lines(found)], len(found.problems)) == ([200], 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"%PDF-1.7 x",
        b"hello",
        b"\x00\x01\x02",
        b"PK\x03\x04rubbish",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1x",
    ],
)
def test_what_is_no_statement_is_a_sentence(body: bytes) -> None:
    found = read(body, Assumed())
    assert (found.statements, len(found.problems)) == ([], 1)


@given(st.binary(max_size=400))
def test_nothing_raises(body: bytes) -> None:
    for head in (b"", b"1CClientBankExchange\n", b":20:x\n:61:", b"<Document>", b"\x03\x7e\x0a\x06", b"PK\x03\x04"):
        read(head + body, Assumed(currency="UAH", account=OURS))


def test_a_header_that_comes_again_is_no_row() -> None:
    found = read("\n".join((SIGNED, row("1.00"), SIGNED.upper(), row("2.00"))).encode(), Assumed())
    assert ([line.amount_minor for line in lines(found)], found.problems) == ([100, 200], [])


HEAD = "Дата;Рахунок;Валюта;Сума;Вид;Призначення\n"


def unsigned(*rows: tuple[str, str]) -> bytes:
    return (HEAD + "".join(f"05.10.2026;{OURS};UAH;{amount};{kind};x\n" for amount, kind in rows)).encode()


def test_a_column_with_words_for_both_directions_is_found_whatever_its_name() -> None:
    assert sums(unsigned(("10,00", "Списання"), ("20,00", "Зарахування"))) == [-1000, 2000]
    assert sums(unsigned(("10,00", "вихідний"), ("20,00", "Вхідний"))) == [-1000, 2000]


def test_sums_without_any_direction_are_taken_as_income_and_that_is_said() -> None:
    found = read(unsigned(("10,00", "a"), ("20,00", "b")), Assumed())
    assert [line.amount_minor for line in lines(found)] == [1000, 2000]
    assert found.statements[0].checks == [
        "None of its sums has a minus, and no column says which way money went: all were taken for money that came in."
    ]
    assert read(unsigned(("10,00", "a"), ("-20,00", "b")), Assumed()).statements[0].checks == []


def test_debits_that_all_have_a_minus_need_an_option() -> None:
    text = f"Дата;Рахунок;Валюта;Дебет;Кредит\n05.10.2026;{OURS};UAH;-7,00;\n05.10.2026;{OURS};UAH;;9,00\n"
    found = read(text.encode(), Assumed())
    assert (lines(found), "--money-out minus" in found.problems[0].sentence) == ([], True)
    assert sums(text.encode(), money_out="minus") == [-700, 900]
    assert sums(text.encode(), money_out="debit") == [700, 900]


@pytest.mark.parametrize(
    ("dates", "said", "days"),
    [
        (["10/05/2026", "13/05/2026"], "", ["2026-05-10", "2026-05-13"]),
        (["10/05/2026", "10/13/2026"], "", ["2026-10-05", "2026-10-13"]),
        (["10/05/2026"], "day-first", ["2026-05-10"]),
        (["10/05/2026 09:14"], "month-first", ["2026-10-05"]),
        (["10/05/2026", "11/05/2026"], "", []),
        (["13/05/2026", "10/13/2026"], "", []),
        (["10.05.2026"], "", ["2026-05-10"]),
    ],
)
def test_dates_with_slashes(dates: list[str], said: str, days: list[str]) -> None:
    text = "Date,Account,Currency,Amount\n" + "".join(f"{date},{OURS},UAH,-5.00\n" for date in dates)
    found = read(text.encode(), Assumed(dates=said))
    assert [str(line.day) for line in lines(found)] == days
    assert bool(days) != bool(found.problems)
