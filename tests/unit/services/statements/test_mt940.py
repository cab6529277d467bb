"""MT940 and MT942: signs, days, references, texts, and messages that are damaged."""

from datetime import date

import mt940 as library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.statements.lines import Assumed, Line, Reading, State
from services.statements.reading import read
from tests.support.statement_files import OURS, mt940


def lines(*fields: str) -> list[Line]:
    return reading(*fields).statements[0].lines


def reading(*fields: str) -> Reading:
    return read(mt940(*fields), Assumed())


@pytest.mark.parametrize(
    ("mark", "amount_minor", "reversal", "state"),
    [
        ("C", 1000, False, State.BOOKED),
        ("D", -1000, False, State.BOOKED),
        ("RC", -1000, True, State.BOOKED),
        ("RD", 1000, True, State.BOOKED),
        ("EC", 1000, False, State.PENDING),
        ("ED", -1000, False, State.PENDING),
    ],
)
def test_a_reversal_has_the_sign_of_what_it_does(mark: str, amount_minor: int, reversal: bool, state: State) -> None:
    (line,) = lines(f":61:2610011001{mark}10,00NTRFNONREF//B1")
    assert (line.amount_minor, line.reversal, line.state) == (amount_minor, reversal, state)


def test_the_library_gives_both_reversals_a_plus() -> None:
    """Where mt-940 is not right: money that went back out looks like money that came in, and so the sums are off."""
    text = mt940(":61:2610011001RC10,00NTRFNONREF", ":61:2610011001RD10,00NTRFNONREF").decode()
    assert [str(one.data["amount"].amount) for one in library.parse(text)] == ["10.00", "10.00"]
    assert [line.amount_minor for line in read(text.encode(), Assumed()).statements[0].lines] == [-1000, 1000]


def test_the_library_puts_two_accounts_into_one() -> None:
    """Where mt-940 is not right: of a file with two statements, all lines are of the last account."""
    other = "UA773220010000026001111111111"
    both = mt940(":61:2610011001C10,00NTRFA") + mt940(":61:2610011001C20,00NTRFB", account=other)
    found = library.parse(both.decode())
    assert (len(found), found.data["account_identification"]) == (2, other)
    ours = [(line.account, line.amount_minor) for one in read(both, Assumed()).statements for line in one.lines]
    assert ours == [(OURS, 1000), (other, 2000)]


@pytest.mark.parametrize(
    ("written", "amount_minor"),
    [
        ("10,", 1000),
        ("10,5", 1050),
        ("0,01", 1),
        (",50", 50),
        ("1234567,89", 123456789),
        ("9999999999999,99", 10**15 - 1),
    ],
)
def test_sums_are_exact(written: str, amount_minor: int) -> None:
    (line,) = lines(f":61:2610011001C{written}NTRFNONREF")
    assert line.amount_minor == amount_minor


@pytest.mark.parametrize(
    ("days", "day"),
    [
        ("2610011001", date(2026, 10, 1)),
        ("261001", date(2026, 10, 1)),
        ("2612310102", date(2027, 1, 2)),
        ("2701021231", date(2026, 12, 31)),
        ("2602300301", date(2026, 3, 1)),
    ],
)
def test_the_day_of_booking_has_the_nearest_year(days: str, day: date) -> None:
    (line,) = lines(f":61:{days}C10,00NTRFNONREF")
    assert line.day == day


def test_a_day_that_does_not_exist_is_a_reason_and_the_rest_is_read() -> None:
    found = reading(":61:260230C10,00NTRFNONREF", ":61:261001C20,00NTRFNONREF")
    assert [line.amount_minor for line in found.statements[0].lines] == [2000]
    assert [(one.place, one.sentence) for one in found.problems] == [
        (5, "It cannot be read: there is no day 30.02.2026.")
    ]


def test_a_decimal_too_many_is_a_reason() -> None:
    found = reading(":61:261001C10,005NTRFNONREF")
    assert found.statements[0].lines == []
    assert "more decimals than UAH has" in found.problems[0].sentence


@pytest.mark.parametrize(
    ("text", "name", "iban", "purpose", "end_to_end"),
    [
        ("Оплата за угоду D-7", "", "", "Оплата за угоду D-7", ""),
        (
            "020?00CREDIT?20EREF+E-17?21SVWZ+Bill D-7 and?22 more?31UA903220010000026007654321098?32KOVAL?33CHUK LTD",
            "KOVALCHUK LTD",
            "UA903220010000026007654321098",
            "Bill D-7 and more",
            "E-17",
        ),
        (
            "/EREF/E-17//ORDP//NAME/KOVALCHUK LTD/REMI/Invoice D-7/ISDT/2026-10-01",
            "KOVALCHUK LTD",
            "",
            "Invoice D-7",
            "E-17",
        ),
        (
            "/CNTP/UA903220010000026007654321098/UNJSUAUK/KOVALCHUK///REMI/USTD//Invoice D-7/",
            "KOVALCHUK",
            "UA903220010000026007654321098",
            "Invoice D-7",
            "",
        ),
    ],
)
def test_what_a_line_is_for(text: str, name: str, iban: str, purpose: str, end_to_end: str) -> None:
    (line,) = lines(":61:2610011001C10,00NTRFNONREF", f":86:{text}")
    assert (line.name, line.iban, line.purpose, line.end_to_end) == (name, iban, purpose, end_to_end)


def test_a_text_of_several_lines() -> None:
    full = "x" * 65
    (line,) = lines(":61:2610011001C10,00NTRFNONREF", f":86:{full}", "yy зз", "вв")
    assert line.purpose == f"{full}yy зз вв"


def test_balances_that_add_up_and_that_do_not() -> None:
    good = read(mt940(":61:2610011001C10,00NTRFA", closing="C261001UAH10,00"), Assumed()).statements[0]
    bad = read(mt940(":61:2610011001C10,00NTRFA", closing="C261001UAH10,01"), Assumed()).statements[0]
    assert good.checks == []
    assert bad.checks == [
        "The balances do not add up: 0.00 UAH and its lines make 10.00 UAH, and it ends with 10.01 UAH."
    ]
    assert [line.amount_minor for line in bad.lines] == [1000]  # what is there goes in


def test_an_interim_report_says_its_sums() -> None:
    body = b":20:1\n:25:A 1234567\n:28C:1\n:34F:UAHC0,\n:13D:2610011200+0300\n:61:261001C5,00NTRFX\n:90C:1UAH%s\n-\n"
    assert read(body % b"5,00", Assumed()).statements[0].checks == []
    assert read(body % b"6,00", Assumed()).statements[0].checks == [
        "The sums do not add up: 1 lines of 5.00 UAH came in, and it says 1 of 6.00 UAH."
    ]


@pytest.mark.parametrize("charset", ["utf-8", "cp1251", "cp1125", "utf-16"])
def test_charsets(charset: str) -> None:
    text = mt940(":61:2610011001C10,00NTRFNONREF", ":86:Оплата за рахунком від Ковальчука").decode()
    (line,) = read(text.encode(charset), Assumed()).statements[0].lines
    assert line.purpose == "Оплата за рахунком від Ковальчука"


@given(st.integers(0, 400))
def test_a_file_that_is_cut_gives_what_came_before(end: int) -> None:
    whole = mt940(*(f":61:261001{10:02}{n:02}C{n},00NTRFNONREF//B{n}" for n in range(1, 9)))
    found = read(whole[:end], Assumed())
    made = [line.bank_reference for one in found.statements for line in one.lines]
    full = [f"B{n}" for n in range(1, 9)]
    assert made[:-1] == full[: len(made)][:-1]  # the last one may be cut itself
