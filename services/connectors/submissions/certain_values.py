"""Values that are certain by themselves, whatever the field's name, and identifiers within running text."""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from crm.phones import read_phone
from crm.shared import Phone
from crm.text.emails import emails_in
from crm.text.placeholders import is_placeholder

_SHORTEST, _LONGEST = 9, 64
_NUMBER = re.compile(r"\s?\+?[ \u00a0]*[\d(][\d\s()./\u00a0\u2010-\u2015-]{6,24}\d\s*")
_IN_WORDS = re.compile(r"(?<![\w.,:/@-])\+?\(?\d[\d \u00a0().\u2010-\u2015-]{7,20}\d(?![\w@])")
_MAIL_IN_WORDS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_BEGINNING = re.compile(r"([^\W\d_]+\d{3,}(?=@))|[^\W\d_]{3,}(?=[\s._\d@]|$)")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_MOST_WORDS = 20_000  # characters of a text that are looked through


def certain_phone(text: str, country: str) -> Phone | None:
    """Returns the phone if the text can be nothing else: a valid number with its country code or trunk prefix."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text) or not 9 <= sum(map(str.isdecimal, text)) <= 15:
        return None
    return _certain_phone(text, country)


@lru_cache(maxsize=16_384)
def _certain_phone(text: str, country: str) -> Phone | None:
    phone = read_phone(text, country)
    if not phone.e164:
        return None
    number = phonenumbers.parse(phone.e164, None)
    if not phonenumbers.is_valid_number(number):
        return None
    digits = "".join(filter(str.isdecimal, text))
    if "+" in text or digits.startswith("00") or (text[0].isspace() and "+" + digits == phone.e164):
        return phone
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if metadata is None or number.country_code != metadata.country_code:
        return None
    if digits == phone.e164[1:]:
        return phone
    if metadata.national_prefix:  # 067…; without its zero it may be any other number
        whole = digits.startswith(metadata.national_prefix)
    else:
        grouped = len(re.findall(r"\d+", text)) > 1
        whole = grouped or phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    return phone if whole else None


def certain_emails(text: str) -> list[str]:
    """Returns the e-mail addresses if the value holds nothing else."""
    if "@" not in text or len(text) > 254 or len(text.split()) > 1:
        return []
    return emails_in(text)


def may_mention(text: str) -> bool:
    """Whether a text may have a phone or an e-mail in it: most have neither a digit nor an @."""
    return "@" in text or (len(text) >= _SHORTEST and _DIGIT.search(text) is not None)


def phones_among(text: str, country: str) -> Iterator[Phone]:
    """Yields phones within running text: they may be anybody's."""
    for found in _IN_WORDS.finditer(text[:_MOST_WORDS]) if len(text) >= _SHORTEST and _DIGIT.search(text) else ():
        if phone := certain_phone(found[0].strip(), country):
            yield phone


def emails_among(text: str) -> Iterator[str]:
    """Yields e-mail addresses within running text: they may be anybody's."""
    if "@" in text:
        for found in _MAIL_IN_WORDS.finditer(text[:_MOST_WORDS]):
            yield from emails_in(found[0])


def is_unusable(kind: str, value: str) -> bool:
    """`is_placeholder` for names and e-mails, with a shortcut for values that begin with an ordinary word."""
    word = _BEGINNING.match(value)
    begins_well = word is not None and (word[1] is not None or _is_usable_word(word[0]))
    if begins_well and (kind == "name" or _is_usable_host(value.rpartition("@")[2])):
        return False
    return is_placeholder(kind, value)


@lru_cache(maxsize=8_192)
def _is_usable_word(word: str) -> bool:
    return not is_placeholder("name", word) and not is_placeholder("email", f"{word}@host-of-somebody.com")


@lru_cache(maxsize=8_192)
def _is_usable_host(host: str) -> bool:
    return not is_placeholder("email", f"olena.koval@{host}")


def has_letters(text: str, least: int = 1) -> bool:
    return _LETTER.search(text) is not None if least == 1 else len(_LETTER.findall(text)) >= least


def is_a_name(text: str) -> bool:
    """Whether a text may be a person's name. It need not be one."""
    return (
        len(text) <= 100
        and has_letters(text)
        and not any(mark in text for mark in "@{}[]<>=|\\")
        and "://" not in text
        and len(text.split()) <= 7
        and sum(map(str.isdecimal, text)) <= 3
    )
