"""Sums as people write them: exact, with their currency, or none."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import Malformed
from crm.money import DECIMALS, currency_named, money_text, read_sum, to_minor

SUMS = [
    ("сума до сплати: 1 200,50 грн", "EUR", 120050, "UAH"),
    ("1250,- Kč", "UAH", 125000, "CZK"),
    ("1250,– €", "UAH", 125000, "EUR"),
    ("12 500,-- zł", "UAH", 1250000, "PLN"),
    ("125000 тг", "UAH", 12500000, "KZT"),
    ("1250", "UAH", 125_000, "UAH"),
    ("1250.00", "UAH", 125_000, "UAH"),
    ("1250,00", "UAH", 125_000, "UAH"),
    ("1 250", "UAH", 125_000, "UAH"),
    ("1\xa0250,00\xa0\u20b4", "UAH", 125_000, "UAH"),
    ("1\u2009250", "UAH", 125_000, "UAH"),
    ("1'250", "UAH", 125_000, "UAH"),
    ("1’250.50 CHF", "UAH", 125_050, "CHF"),
    ("1,250.50", "UAH", 125_050, "UAH"),
    ("1.250,50", "UAH", 125_050, "UAH"),
    ("12 345 678,90 грн", "UAH", 1_234_567_890, "UAH"),
    ("1,234,567.89", "USD", 123_456_789, "USD"),
    ("1.234.567,89", "EUR", 123_456_789, "EUR"),
    ("1.234.567", "EUR", 123_456_700, "EUR"),
    ("USD 1250", "UAH", 125_000, "USD"),
    ("1250 usd", "UAH", 125_000, "USD"),
    ("1250$", "UAH", 125_000, "USD"),
    ("$ 1 250", "UAH", 125_000, "USD"),
    ("US$1,250.50", "UAH", 125_050, "USD"),
    ("€1250", "UAH", 125_000, "EUR"),
    ("1250 EUR", "UAH", 125_000, "EUR"),
    ("1250 євро", "UAH", 125_000, "EUR"),
    ("1250 евро", "UAH", 125_000, "EUR"),
    ("£99.99", "UAH", 9_999, "GBP"),
    ("99 PLN", "UAH", 9_900, "PLN"),
    ("99,50 zł", "UAH", 9_950, "PLN"),
    ("99 zl", "UAH", 9_900, "PLN"),
    ("99 злотих", "UAH", 9_900, "PLN"),
    ("99 złotych", "PLN", 9_900, "PLN"),
    ("1250 гривень", "UAH", 125_000, "UAH"),
    ("1250 гривні", "UAH", 125_000, "UAH"),
    ("1 гривня", "UAH", 100, "UAH"),
    ("1250 гривны", "UAH", 125_000, "UAH"),
    ("1250 Грн.", "UAH", 125_000, "UAH"),
    ("1250 ГРН", "UAH", 125_000, "UAH"),
    ("грн 1250", "UAH", 125_000, "UAH"),
    ("1250 uah", "PLN", 125_000, "UAH"),
    ("500 доларів США", "UAH", 50_000, "USD"),
    ("500 дол.", "UAH", 50_000, "USD"),
    ("500 долларов", "UAH", 50_000, "USD"),
    ("500 баксів", "UAH", 50_000, "USD"),
    ("1000 руб", "UAH", 100_000, "RUB"),
    ("1000 ₽", "UAH", 100_000, "RUB"),
    ("12500 JPY", "UAH", 12_500, "JPY"),
    ("¥12500", "JPY", 12_500, "JPY"),
    ("12,500 JPY", "UAH", 12_500, "JPY"),
    ("1.5 KWD", "UAH", 1_500, "KWD"),
    ("$1,500", "UAH", 150_000, "USD"),
    ("1.5", "UAH", 150, "UAH"),
    ("1,5", "UAH", 150, "UAH"),
    ("0", "UAH", 0, "UAH"),
    ("0,00", "UAH", 0, "UAH"),
    ("-500", "UAH", -50_000, "UAH"),
    ("−500", "UAH", -50_000, "UAH"),
    ("+500", "UAH", 50_000, "UAH"),
    ("2 тис.", "UAH", 200_000, "UAH"),
    ("2 тис грн", "UAH", 200_000, "UAH"),
    ("2,5 тис. грн", "UAH", 250_000, "UAH"),
    ("2к", "UAH", 200_000, "UAH"),
    ("2k", "UAH", 200_000, "UAH"),
    ("$2k", "UAH", 200_000, "USD"),
    ("1 млн", "UAH", 100_000_000, "UAH"),
    ("1,5 млн грн", "UAH", 150_000_000, "UAH"),
    ("1.25 тис", "UAH", 125_000, "UAH"),
    ("2 тисячі гривень", "UAH", 200_000, "UAH"),
    ("1250 грн/міс", "UAH", 125_000, "UAH"),
    ("1250 грн / місяць", "UAH", 125_000, "UAH"),
    ("1250 грн на місяць", "UAH", 125_000, "UAH"),
    ("1250/міс", "UAH", 125_000, "UAH"),
    ("$50/month", "UAH", 5_000, "USD"),
    ("50 USD per month", "UAH", 5_000, "USD"),
    ("1250,-", "UAH", 125_000, "UAH"),
    ("1250.-", "UAH", 125_000, "UAH"),
    ("1 250 грн. 50 коп.", "UAH", 125_050, "UAH"),
    ("1250 грн 5 коп", "UAH", 125_005, "UAH"),
    ("1250грн50коп", "UAH", 125_050, "UAH"),
    ("10 zł 50 gr", "PLN", 1_050, "PLN"),
    ("5 dollars 25 cents", "UAH", 525, "USD"),
    ("Сума: 1250 грн", "UAH", 125_000, "UAH"),
    ("Разом 1 250,00 грн", "UAH", 125_000, "UAH"),
    ("Total: $1,250.50", "UAH", 125_050, "USD"),
    ("сума замовлення 1250", "UAH", 125_000, "UAH"),
    ("бюджет 1250 грн", "UAH", 125_000, "UAH"),
    ("USD 1250 USD", "UAH", 125_000, "USD"),
    ("$1250 USD", "UAH", 125_000, "USD"),
    ("$1250", "CAD", 125_000, "CAD"),
    ("C$1250", "UAH", 125_000, "CAD"),
    ("CA$1,250", "UAH", 125_000, "CAD"),
    ("A$99", "UAH", 9_900, "AUD"),
    ("500 kr", "SEK", 50_000, "SEK"),
    ("500 Kč", "UAH", 50_000, "CZK"),
    ("500 Ft", "UAH", 50_000, "HUF"),
    ("500 лей", "MDL", 50_000, "MDL"),
    ("1250&nbsp;грн", "UAH", 125_000, "UAH"),
    ("“1250”", "UAH", 125_000, "UAH"),
    ("=1250", "UAH", 125_000, "UAH"),
    ("1250 UAH.", "UAH", 125_000, "UAH"),
    ("1 250.5", "UAH", 125_050, "UAH"),
    ("1 250,5", "UAH", 125_050, "UAH"),
    ("1250.5000", "UAH", 125_050, "UAH"),
    ("1250.0000", "UAH", 125_000, "UAH"),
    ("100 000 000", "UAH", 10_000_000_000, "UAH"),
    ("100,000,000", "UAH", 10_000_000_000, "UAH"),
]

# Ranges, limits, guesses, two readings, two currencies, words and other things' numbers.
NO_SUMS = [
    ("¥12500", "UAH"),
    ("від 2000", "UAH"),
    ("от 2000", "UAH"),
    ("до 2000", "UAH"),
    ("2000-3000", "UAH"),
    ("2000–3000 грн", "UAH"),
    ("2000 - 3000", "UAH"),
    ("2000..3000", "UAH"),
    ("2000 до 3000", "UAH"),
    ("~2000", "UAH"),
    ("≈ 2000", "UAH"),
    ("близько 2000 грн", "UAH"),
    ("около 2000", "UAH"),
    ("приблизно 2000", "UAH"),
    ("2000+", "UAH"),
    ("> 2000", "UAH"),
    ("2000?", "UAH"),
    ("не більше 2000", "UAH"),
    ("from 2000", "UAH"),
    ("up to 2000", "UAH"),
    ("max 2000", "UAH"),
    ("2000 або 3000", "UAH"),
    ("2000/3000", "UAH"),
    ("2 x 1000", "UAH"),
    ("2*1000", "UAH"),
    ("50%", "UAH"),
    ("1,500", "UAH"),
    ("1.500", "UAH"),
    ("1,500 грн", "UAH"),
    ("1.500 €", "UAH"),
    ("0.001", "UAH"),
    ("1.005", "UAH"),
    ("1.999", "UAH"),
    ("12.345", "UAH"),
    ("безкоштовно", "UAH"),
    ("договірна", "UAH"),
    ("за домовленістю", "UAH"),
    ("free", "UAH"),
    ("-", "UAH"),
    ("n/a", "UAH"),
    ("NaN", "UAH"),
    ("Infinity", "UAH"),
    ("null", "UAH"),
    ("1e3", "UAH"),
    ("1E+3", "UAH"),
    ("0x10", "UAH"),
    ("1_000", "UAH"),
    ("١٢٥٠", "UAH"),
    ("１２５０", "UAH"),
    ("1 250 50", "UAH"),
    ("12 50", "UAH"),
    ("1,2,3", "UAH"),
    ("1..5", "UAH"),
    ("1,,5", "UAH"),
    ("--5", "UAH"),
    ("(500)", "UAH"),
    ("1,500 тис", "UAH"),
    ("двадцять тисяч", "UAH"),
    ("2 тис. - 3 тис.", "UAH"),
    ("1250 грн за шт", "UAH"),
    ("1250 грн/м2", "UAH"),
    ("1250 грн/год", "UAH"),
    ("1250 грн 150 коп", "UAH"),
    ("знижка 1250", "UAH"),
    ("замовлення 1250", "UAH"),
    ("1250 USD EUR", "UAH"),
    ("$1250 EUR", "UAH"),
    ("500 лей", "UAH"),
    ("500 крон", "UAH"),
    ("500 у.е.", "UAH"),
    ("500 BTC", "UAH"),
    ("500 бонусів", "UAH"),
    ("500 шт", "UAH"),
    ("0671234567", "UAH"),
    ("007", "UAH"),
    ("00", "UAH"),
    ("99999999999999999999", "UAH"),
    ("1250 ₴ (з ПДВ)", "UAH"),
    ("1250 грн з ПДВ", "UAH"),
    ("1250.500", "UAH"),
    ("1, 250", "UAH"),
    ("1 .250", "UAH"),
    ("1250 , 50", "UAH"),
    ("1250;50", "UAH"),
    ("1250:50", "UAH"),
    ("1250-00", "UAH"),
    ("1250=00", "UAH"),
    ("1250-50", "UAH"),
]


@pytest.mark.parametrize(("text", "currency", "minor", "named"), SUMS)
def test_a_sum_as_people_write_it(text: str, currency: str, minor: int, named: str) -> None:
    assert read_sum(text, currency) == (minor, named)


@pytest.mark.parametrize(("text", "currency"), NO_SUMS)
def test_what_is_no_certain_sum_is_none(text: str, currency: str) -> None:
    """The bug: a whole lead lay in quarantine for it."""
    assert read_sum(text, currency) is None


@pytest.mark.parametrize("value", [5, Decimal("5.00")])
def test_a_number_is_a_sum_in_the_default_currency(value: int | Decimal) -> None:
    assert read_sum(value, "UAH") == (500, "UAH")
    assert read_sum(value, "???") is None


@pytest.mark.parametrize("value", [True, 1.5, None, Decimal("NaN"), Decimal("1.005"), 2**80])
def test_a_value_that_is_no_exact_sum_is_none(value: Any) -> None:
    assert read_sum(value, "UAH") is None


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("UAH", "грн|грн.|ГРН|₴|UAH|uah|980|гривень|Гривня|гривен|hrn"),
        ("USD", "$|840|дол|дол.|долар|доларів|доларів США|доллары|US$|usd"),
        ("EUR", "€|978|євро|Євро|евро|euro|EUR"),
        ("PLN", "zł|zl|злотих|злотий|złotych|PLN|985"),
        ("GBP", "£|GBP|фунтів стерлінгів|pounds"),
        (None, "|-|крон|у.е.|шт|98|9800|гривні та долари|ххххххххххххххххххххххххххххххххххххххххххххххх|٩٨٠"),
    ],
)
def test_a_currency_by_what_people_call_it(code: str | None, texts: str) -> None:
    assert {text: currency_named(text) for text in texts.split("|")} == dict.fromkeys(texts.split("|"), code)


def test_a_sign_that_several_currencies_have_is_the_local_one() -> None:
    assert [currency_named("$", local) for local in ("", "UAH", "USD", "CAD")] == ["USD", "USD", "USD", "CAD"]
    assert [currency_named("крон", local) for local in ("UAH", "CZK", "SEK")] == [None, "CZK", "SEK"]


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(sorted(DECIMALS)))
def test_a_sum_is_written_as_it_is_read(minor: int, currency: str) -> None:
    assert read_sum(money_text(minor, currency), "UAH") == (minor, currency)


@settings(deadline=None)
@given(
    st.text() | st.text(alphabet="0123456789 .,-$€грнUSDтис'від", max_size=20),
    st.sampled_from(["UAH", "JPY", "KWD", "?"]),
)
def test_any_text_is_a_sum_or_none(text: str, currency: str) -> None:
    found = read_sum(text, currency)
    assert found is None or read_sum(money_text(*found), currency) == found


def test_digits_of_other_scripts_are_no_sum() -> None:
    """Arabic digits were taken, as `\\d` and `int` do."""
    with pytest.raises(Malformed):
        to_minor("١٢٥٠", "UAH")
