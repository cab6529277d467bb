"""The amount of the deal that a form opens: the one that it plainly names, or none and a sentence that says why."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from crm.money import currency_named, read_sum
from services.connectors.submissions.words import CURRENCIES

_NUMBER = re.compile(r"[0-9., +-]*")
_WORD_OR_SIGN = re.compile(r"[^\W\d_]+|[$€£₴₽₺]")
_OTHER_THAN_DIGITS = re.compile(r"[^\d\s.,'’]")
_STRENGTH = {"amount": 3, "sum": 2, "price": 1}


class Sum(NamedTuple):
    """An amount as it was given, and how plainly its field asks for the amount of the deal."""

    role: str
    value: str
    weight: int
    currency: str = ""  # as the field's name says: "Сума, $"


class DealAmount(NamedTuple):
    """In the currency's smallest unit. `doubt`: why a sum that was given is not taken."""

    minor: int | None
    currency: str
    doubt: str = ""


NOTHING = DealAmount(None, "")


def deal_amount(
    sums: list[Sum], texts: Mapping[str, str], default: str, is_order: bool, in_smallest_units: bool = False
) -> DealAmount:
    """Returns the amount that is asked for most plainly. An amount in an unknown currency counts as none.

    `texts`: what the form says besides, by role: its currency, and how many of what has a price.
    """
    if not sums:
        return NOTHING
    sums = [given._replace(value=_with_its_currency(given)) if given.currency else given for given in sums]
    currency_text, several = texts.get("currency", ""), texts.get("quantity", "1") not in ("1", "1.0")
    best, strength = None, 0
    for given in sums:
        power = _STRENGTH[given.role] - (given.weight < 2)
        if given.role == "price" and (several or not (is_order or currency_text or _currency_in(given.value))):
            continue  # a plain "amount" or "price" may be of anything, and a price is of one
        if power > strength and given.value:
            best, strength = given, power
    if best is None:
        return NOTHING
    if in_smallest_units:
        return _unread(best.value, "seems to be in the smallest units of its currency")
    named = currency_named(currency_text) if currency_text else default
    read = read_sum(best.value, named or default)
    if read is None:
        if strength < 3 and not any(map(str.isdecimal, best.value)):
            return NOTHING  # "total": "please ask"
        return _unread(best.value, "cannot be read as one certain sum")
    minor, currency = read
    own = _currency_in(best.value) if currency_text else ""
    if named is None and not own:
        return _unread(best.value, f"is in a currency that is not known ({currency_text[:40]!r})")
    if named is not None and own and own != named:
        return _unread(best.value, f"is not in the currency that the form names ({currency_text[:40]!r})")
    if minor < 0:
        return _unread(best.value, "is less than nothing")
    return DealAmount(minor, currency)


@lru_cache(maxsize=4_096)
def currency_in(name: str) -> str:
    """Returns the currency that a field's name gives for its amount; empty if none."""
    words = (word.lower() for word in _WORD_OR_SIGN.findall(name))
    return next((word for word in words if word in CURRENCIES or not word.isalpha()), "")


def _with_its_currency(given: Sum) -> str:
    bare = given.currency and not _OTHER_THAN_DIGITS.search(given.value)
    return f"{given.value} {given.currency}" if bare else given.value


def _currency_in(text: str) -> str:
    """Returns the currency that is written with an amount, whatever the default; empty if none is."""
    if _NUMBER.fullmatch(text):
        return ""
    one, two = read_sum(text, "UAH"), read_sum(text, "USD")
    return one[1] if one and two and one[1] == two[1] else ""


def _unread(value: str, why: str) -> DealAmount:
    return DealAmount(
        None, "", f"The sum {value[:60]!r} {why}, so the deal has none: it is kept as text among the fields."
    )
