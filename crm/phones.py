"""Telephone numbers as people write them, beside the one form in which two of them can be compared (E.164)."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from crm.shared import Phone

_LONGEST = 64
_PUNCTUATION = str.maketrans("", "", " \t\u00a0()-.+")
_PLAIN = re.compile(r"[ \t\u00a0()\-.]*\+?[ \t\u00a0()\-.\d]*")
_EXTENSION = re.compile(r"(?:\bдод|\bвнутр?|\bвн)\.?\s*(\d{1,7})$", re.IGNORECASE)


def read_phone(text: str, country: str = "UA") -> Phone:
    """The text as it was given, and its E.164 form if it is a possible number when dialled within `country`."""
    return _read(text, country) if len(text) <= _LONGEST else Phone(text, "")


@lru_cache(maxsize=65_536)
def _read(text: str, country: str) -> Phone:
    if country == "UA" and (digits := _ukrainian(text)):
        return Phone(text, digits)
    try:
        number = phonenumbers.parse(_EXTENSION.sub(r"ext. \1", text), country)
    except NumberParseException:
        return Phone(text, "")
    short = number.country_code == 380 and number.italian_leading_zero  # 067 12 34 56: a digit was lost
    # A number without its area is another's in every city, so it is not enough to be possible locally.
    if short or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return Phone(text, "")
    return Phone(text, phonenumbers.format_number(number, PhoneNumberFormat.E164), number.extension or "")


def _ukrainian(text: str) -> str:
    """The answer of phonenumbers for the common ways to write a Ukrainian number, twenty times sooner."""
    if not text.isascii() or not _PLAIN.fullmatch(text):
        return ""
    digits = text.translate(_PUNCTUATION)
    if len(digits) == 10 and digits[0] == "0" and digits[1] != "0" and "+" not in text:
        return "+38" + digits
    return "+" + digits if len(digits) == 12 and digits.startswith("380") and digits[3] != "0" else ""
