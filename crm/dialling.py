"""One spelled telephone number as E.164: numbering plans say what it may be, its spelling says what it was meant to be.

A wrong number is worse than none: where two readings are possible and the spelling does not decide, none is given.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

_GROUP = re.compile(r"[0-9]+")
_UP, _DOWN = "0123456789012345", "9876543210987654"
_FOREIGN_GROUPS = ("381", "382", "383", "385", "386", "387", "389")  # country codes that begin like +38
_UKRAINE = "UA"


def has_numbers(country: str) -> bool:
    """Tells whether a text is the ISO 3166 code of a country with a numbering plan, in either case."""
    return country.upper() in phonenumbers.SUPPORTED_REGIONS


def e164_of(spelled: str, country: str) -> str:
    """E.164, or empty. `spelled` is digits with a plus, brackets, dots, dashes and blanks between them."""
    groups: list[str] = _GROUP.findall(spelled)
    digits = "".join(groups)
    if not 7 <= len(digits) <= 24 or is_nonsense(digits):
        return ""
    plus = spelled.lstrip(" (").startswith("+")
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
        groups = _GROUP.findall(spelled.replace("00", "", 1))
    if plus and digits.startswith("0"):  # +067: no country code begins so
        plus = False
    if digits.startswith("38") and (plus or country == _UKRAINE):
        certain, e164 = _behind_38(digits, groups, plus, country)
        if certain:
            return e164
    if plus:
        return _international(digits, country) or (_trunk_8(digits) if country == _UKRAINE else "")
    if country == _UKRAINE and digits.startswith("80") and len(digits) == 11:
        return _trunk_8(digits)
    return _national(digits, groups, country)


def is_calling_code(digits: str) -> bool:
    """Tells whether digits are the calling code of some country, or how it is dialled: 48, 0048, 38."""
    code = digits.removeprefix("00")
    return code in ("38", "8") or (code.isdecimal() and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def from_abroad(digits: str) -> str:
    """E.164 of digits that are surely a whole international number whose plus was lost; empty if they are not valid."""
    return "" if digits.startswith("0") or is_nonsense(digits) else _international(digits, "")


def is_nonsense(digits: str) -> bool:
    """Whether it is one digit repeated, or counting up or down: typed to fill a field in."""
    return digits in _UP or digits in _DOWN or len(set(digits)) <= 1


def national_of(e164: str) -> str:
    """The digits without the country's code; empty for what is no E.164."""
    number = _parsed(e164, "") if e164.startswith("+") else None
    return _nsn(number) if number else ""


def begins_whole(spelled: str, country: str) -> bool:
    """Whether it begins as a number that is written in full: only so may it follow another without a mark."""
    plan = _plan(country)
    begin = spelled.lstrip(" (").replace("(", "").replace(")", "")
    if plan is None or begin.startswith(("+", "00")):
        return begin.startswith(("+", "00"))
    # Where all numbers are of one length, that says enough.
    return not plan.prefix or len(plan.lengths) == 1 or begin.startswith((plan.prefix, plan.code))


def _behind_38(digits: str, groups: list[str], plus: bool, country: str) -> tuple[bool, str]:
    """+38 is no country's code. Written apart, it is what Ukrainians write before 0; whether it decides, and what."""
    rest = digits[2:]
    if groups[0] == "38":
        if len(rest) == 12 and rest.startswith("380"):  # a mask wrote +38, the whole number was pasted behind it
            rest = rest[2:]
        elif len(rest) == 11 and rest.startswith("80"):
            rest = rest[1:]
        elif len(rest) == 9 and not rest.startswith("0"):  # the zero is missing
            return True, _valid("380" + rest)
        return True, _ukrainian(rest) if len(rest) == 10 and rest.startswith("0") else ""
    if len(rest) != 9 or rest.startswith("0") or groups[0] in _FOREIGN_GROUPS or country != _UKRAINE:
        return False, ""
    # +38671234567 is a number of Slovenia, and what is left of a Ukrainian one when its zero is forgotten.
    ukrainian, foreign = _valid("380" + rest), _valid(digits)
    if ukrainian and foreign:
        return True, ukrainian if len(groups[0]) == 4 else ""
    return bool(ukrainian), ukrainian


def _ukrainian(national: str) -> str:
    return _international("38" + national, _UKRAINE)


def _trunk_8(digits: str) -> str:
    """8 067: how a call to another city was dialled in Ukraine, and is still written."""
    return _valid("3" + digits) if digits.startswith("80") and len(digits) == 11 else ""


def _valid(digits: str) -> str:
    number = _parsed("+" + digits, "")
    return _e164(number) if number and _plain(number) and phonenumbers.is_valid_number(number) else ""


def _international(digits: str, country: str) -> str:
    number = _parsed("+" + digits, country)
    if number and _good(number, country, whole=True):
        return _e164(number)
    code = str(number.country_code) if number else ""
    repeated = code and digits.startswith(code) and digits.removeprefix(code).removeprefix("00").startswith(code)
    # +380 380671234567: the code came from a mask, and once more with what was pasted behind it.
    return _valid(digits.removeprefix(code).removeprefix("00")) if repeated else ""


def _national(digits: str, groups: list[str], country: str) -> str:
    number, plan = _parsed(digits, country), _plan(country)
    if number is None or plan is None:
        return ""
    international = digits.startswith(plan.code) and len(digits) == len(plan.code) + len(_nsn(number))
    abroad = str(number.country_code) != plan.code  # dialled with the prefix for calls abroad
    whole = international or abroad or (bool(plan.prefix) and digits.startswith(plan.prefix))
    if _good(number, country, whole):
        return _e164(number)
    # Too long for a number of here by far, and whole as one of another country: a program left the plus out.
    longest = max(plan.lengths, default=15) + len(plan.prefix)
    alone = len(groups) == 1 or (digits.startswith("380") and groups[0] in ("38", "380"))
    if alone and len(digits) > longest and len(digits) >= 11 and digits[0] not in ("0", plan.prefix[:1]):
        foreign = _parsed("+" + digits, "")
        mobile = foreign and phonenumbers.number_type(foreign) == phonenumbers.PhoneNumberType.MOBILE
        return _valid(digits) if mobile else ""
    return ""


def _good(number: PhoneNumber, country: str, whole: bool) -> bool:
    """Whether it is a number that its plan has; of this country's own also one of a range newer than the plan."""
    if not _plain(number):
        return False
    plan, national = _plan(country), _nsn(number)
    if plan is None or plan.code != str(number.country_code):
        return whole and (phonenumbers.is_valid_number(number) or _in_a_range(number))
    if phonenumbers.is_valid_number(number):
        return whole or len(national) in plan.lengths
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return whole and possible and plan.lengths == (len(national),) and plan.pattern.fullmatch(national) is not None


def _in_a_range(number: PhoneNumber) -> bool:
    """Whether numbers that begin so exist: operators and areas stay, while the plan splits their ranges again.

    Not in North America, where the exchange behind the area is a part of it.
    """
    national, plan = _nsn(number), _plan(phonenumbers.region_code_for_country_code(number.country_code or 0))
    if plan is None or plan.lengths != (len(national),) or len(national) < 9 or number.country_code == 1:
        return False
    beginning = f"+{number.country_code}{national[:-7]}"
    others = (_parsed(beginning + digit * 7, "") for digit in "0123456789")
    return any(other is not None and phonenumbers.is_valid_number(other) for other in others)


def _plain(number: PhoneNumber) -> bool:
    """No nonsense, no extension, and not its own country's code once more in front (a pasted number that was cut)."""
    code, national = str(number.country_code), _nsn(number)
    return not (number.extension or is_nonsense(national) or (len(code) == 3 and national.startswith(code)))


def _parsed(text: str, country: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country or None)
    except NumberParseException:
        return None


def _nsn(number: PhoneNumber) -> str:
    return phonenumbers.national_significant_number(number)


def _e164(number: PhoneNumber) -> str:
    return f"+{number.country_code}{_nsn(number)}"


class _Plan(NamedTuple):
    """What of a country's numbering plan decides here."""

    code: str
    prefix: str
    lengths: tuple[int, ...]  # of a mobile number without its prefix
    pattern: re.Pattern[str]


@lru_cache(maxsize=512)
def _plan(country: str) -> _Plan | None:
    if (plan := PhoneMetadata.metadata_for_region(country, None)) is None:
        return None
    lengths = plan.mobile.possible_length if plan.mobile else ()
    pattern = (plan.general_desc.national_number_pattern if plan.general_desc else None) or ""
    return _Plan(str(plan.country_code), plan.national_prefix or "", tuple(lengths), re.compile(pattern))
