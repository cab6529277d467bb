"""Money as whole numbers of a currency's smallest unit, read exactly or not at all: no float ever touches it."""

import re
from decimal import Decimal
from functools import lru_cache

from crm.currencies import DECIMALS, currency_named, currency_of
from crm.errors import Malformed
from crm.text.amounts import number_of, sum_in

__all__ = ["DECIMALS", "currency_named", "currency_of", "money_text", "read_sum", "to_minor", "within_64_bits"]

_PARTS = re.compile(r"(?P<before>[^0-9+\-−.,]*)(?P<sign>[+\-−]?)(?P<number>[0-9][0-9.,\s'’]*)(?P<after>[^0-9]*)")
# As programs write a sum: digits, a point, a word for a currency.
_EXACT = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,2}))? ?([^\W\d_]{2,12}|[₴€$£])?")
_LONGEST = 64
_CACHED = 64
_MAX = 2**63


def to_minor(amount: str | int | Decimal, currency: str) -> int:
    """A sum in major units ("202,00 грн", "1 234,56", "0.01", 5, Decimal("1.1")) in the smallest units of `currency`.

    Raises Malformed for whatever could be read in two ways, has more decimals than the currency, or is past 64 bits.
    """
    decimals = DECIMALS[currency_of(currency)]
    match amount:
        case bool():
            raise Malformed(f"{amount!r} is no sum of money.")
        case int():
            sign, digits, exponent = (amount < 0), abs(amount), 0
        case Decimal():
            sign, digits, exponent = _of_decimal(amount)
        case str() if decimals == 2 and (exact := _EXACT.fullmatch(amount)) and not exact[3]:
            return _in_hundredths(exact)
        case str():
            sign, digits, exponent = _of_text(amount, currency, decimals)
        case _:
            raise Malformed(f"{amount!r} is no exact sum of money: give text, a whole number or a decimal.")
    if not digits:
        return 0
    shift = exponent + decimals
    if abs(shift) > _LONGEST:
        raise Malformed("This sum of money is past all measure.")
    scale: int = 10 ** abs(shift)
    minor, lost = (digits * scale, 0) if shift >= 0 else divmod(digits, scale)
    if lost:
        raise Malformed(f"{str(amount)[:_LONGEST]!r} has more decimals than {currency} has ({decimals}).")
    return within_64_bits(-minor if sign else minor)


def read_sum(text: str | int | Decimal, currency: str) -> tuple[int, str] | None:
    """Smallest units and ISO code of what a value says exactly; `currency` is meant where the text names none.

    "USD 1,250.50", "1250 грн/міс", "1 500,00 ₴", "2 тис. грн". None for what can be read in two ways, is a range or a
    limit ("від 2000"), names two currencies, or is no sum. Less than nothing is negative.
    """
    if isinstance(text, str):
        return _cached(text, currency) if len(text) <= _CACHED else _sum_of(text, currency)
    try:
        return to_minor(text, currency), currency_of(currency)
    except Malformed:
        return None


def _sum_of(text: str, currency: str) -> tuple[int, str] | None:
    if exact := _EXACT.fullmatch(text):
        code = currency_named(exact[3], currency) if exact[3] else currency
        if code and DECIMALS.get(code) == 2:
            return _in_hundredths(exact), code
    try:
        found = sum_in(text, currency)
        return (to_minor(found[0], found[1]), found[1]) if found else None
    except Malformed:
        return None


_cached = lru_cache(maxsize=4_096)(_sum_of)


def within_64_bits(minor: int) -> int:
    """Raises Malformed."""
    if not -_MAX <= minor < _MAX:
        raise Malformed("The sum is past the largest that can be kept (64 bits).")
    return minor


def money_text(minor: int, currency: str) -> str:
    """The exact sum as "1234.56 UAH"; `to_minor` reads it back. Of a currency that is none, in its smallest unit."""
    if (decimals := DECIMALS.get(currency)) is None:
        return f"{minor} {currency}".strip()
    digits = str(abs(minor)).zfill(decimals + 1)
    whole, cents = (digits[:-decimals], "." + digits[-decimals:]) if decimals else (digits, "")
    return f"{'-' if minor < 0 else ''}{whole}{cents} {currency}"


def _in_hundredths(exact: re.Match[str]) -> int:
    return int(exact[1] + (exact[2] or "").ljust(2, "0"))


def _of_decimal(amount: Decimal) -> tuple[bool, int, int]:
    sign, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _LONGEST:
        raise Malformed(f"{str(amount)[:_LONGEST]} is no sum of money.")
    return bool(sign), int("".join(map(str, digits))), exponent


def _of_text(text: str, currency: str, decimals: int) -> tuple[bool, int, int]:
    refusal = f"{text[:_LONGEST]!r} cannot be read as one certain sum of money."
    parts = _PARTS.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if not parts:
        raise Malformed(refusal)
    for mark in (parts["before"], parts["after"]):
        mark = mark.strip().rstrip(".").lower()
        if mark and mark.upper() != currency and currency_named(mark, currency) != currency:
            raise Malformed(f"{text!r} is not plainly a sum in {currency}.")
    number = number_of(parts["number"].rstrip(" .,'’\u00a0\u202f"), decimals)
    _, digits, exponent = _of_decimal(number)
    return parts["sign"] in ("-", "−"), digits, exponent
