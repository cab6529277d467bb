"""Money is read to the kopeck or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import Malformed
from crm.money import DECIMALS, currency_of, money_text, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("202,00 грн", "UAH", 20_200),
        ("1 234,56", "UAH", 123_456),
        ("1\u00a0234,56\u00a0₴", "UAH", 123_456),
        ("1'234.50", "CHF", 123_450),
        ("1,234.56", "USD", 123_456),
        ("1.234,56 €", "EUR", 123_456),
        ("1,234,567", "USD", 123_456_700),
        ("12 345 678", "UAH", 1_234_567_800),
        ("0.01", "UAH", 1),
        ("0,1", "UAH", 10),
        (Decimal("1.1"), "UAH", 110),
        (Decimal("54.100"), "UAH", 5_410),
        (5, "UAH", 500),
        ("-5.00", "UAH", -500),
        ("−0,50", "UAH", -50),
        ("$12.30", "USD", 1_230),
        ("500", "JPY", 500),
        ("1 500 JPY", "JPY", 1_500),
        ("1.234", "KWD", 1_234),
        (Decimal("1E+3"), "UAH", 100_000),
        (Decimal("0E+999999"), "UAH", 0),
        ("92233720368547758.07", "UAH", 2**63 - 1),
    ],
)
def test_what_is_certain_is_exact(amount: str | int | Decimal, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [
        ("1,234", "UAH", "one certain sum"),
        ("1.234", "UAH", "one certain sum"),
        ("1,234", "KWD", "one certain sum"),
        ("1,234,56", "UAH", "one certain sum"),
        ("1.2.3", "UAH", "one certain sum"),
        ("", "UAH", "one certain sum"),
        ("багато", "UAH", "one certain sum"),
        ("від 100 до 200", "UAH", "not plainly a sum|one certain sum"),
        ("100\0", "UAH", "not plainly a sum"),
        ("5 USD", "UAH", "not plainly a sum in UAH"),
        ("0.001", "UAH", "more decimals than UAH has"),
        (Decimal("1.005"), "UAH", "more decimals than UAH has"),
        ("1.5", "JPY", "more decimals than JPY has"),
        ("92233720368547758.08", "UAH", "64 bits"),
        (Decimal("1E+400"), "UAH", "past all measure"),
        (Decimal("1E-400"), "UAH", "past all measure"),
        (Decimal("NaN"), "UAH", "no sum of money"),
        (Decimal("-Infinity"), "UAH", "no sum of money"),
        (10**40, "UAH", "64 bits"),
        ("9" * 10_000, "UAH", "one certain sum"),
        (True, "UAH", "no sum of money"),
        (1.1, "UAH", "no exact sum"),
        ("1", "XXX", "no currency"),
    ],
)
def test_what_is_not_certain_is_refused(amount: str | int | Decimal, currency: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        to_minor(amount, currency)


@pytest.mark.parametrize(("code", "alpha"), [(980, "UAH"), ("840", "USD"), (8, "ALL"), ("uah", "UAH"), ("036", "AUD")])
def test_a_currency_by_either_of_its_codes(code: str | int, alpha: str) -> None:
    assert currency_of(code) == alpha


@pytest.mark.parametrize("code", ["", 0, 1000, "HRYVNIA", "\0", "٩٨٠"[:2]])
def test_no_currency(code: str | int) -> None:
    with pytest.raises(Malformed, match="no currency of ISO 4217"):
        currency_of(code)


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(sorted(DECIMALS)))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert to_minor(money_text(minor, currency), currency) == minor
    sign = "-" if minor < 0 else ""
    assert money_text(minor, currency) == f"{sign}{money_text(abs(minor), currency)}"


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15))
def test_a_decimal_is_its_hundredfold(amount: Decimal) -> None:
    assert to_minor(amount, "UAH") == int(amount * 100)


@settings(deadline=None)
@given(st.text() | st.decimals() | st.integers(), st.sampled_from(["UAH", "JPY", "KWD", "CLF"]))
def test_any_input_is_money_or_malformed(amount: str | int | Decimal, currency: str) -> None:
    try:
        assert -(2**63) <= to_minor(amount, currency) < 2**63
    except Malformed as error:
        assert str(error) != ""


def test_an_amount_is_written_with_its_currencys_own_decimals() -> None:
    """The bug: `crm asof --by` divided every sum by a hundred."""
    sums = [(5_000, "JPY"), (5_000, "KWD"), (5_000, "UAH"), (5, "???"), (5, "")]
    assert [money_text(*one) for one in sums] == ["5000 JPY", "5.000 KWD", "50.00 UAH", "5 ???", "5"]
