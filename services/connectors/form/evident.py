"""What a value can only be, whatever its field is called, and what stands in the midst of words."""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from crm.emails import emails_in
from crm.phones import read_phone
from crm.placeholders import is_placeholder
from crm.shared import Phone

_SHORTEST, _LONGEST = 9, 64
_NUMBER = re.compile(r"\s?\+?[ \u00a0]*[\d(][\d\s()./\u00a0\u2010-\u2015-]{6,24}\d\s*")
_IN_WORDS = re.compile(r"(?<![\w.,:/@-])\+?\(?\d[\d \u00a0().\u2010-\u2015-]{7,20}\d(?![\w@])")
_MAIL_IN_WORDS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_BEGINNING = re.compile(r"([^\W\d_]+\d{3,}(?=@))|[^\W\d_]{3,}(?=[\s._\d@]|$)")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_MOST_WORDS = 20_000  # characters of a text that are looked through


def sure_phone(text: str, country: str) -> Phone | None:
    """The number, if it can be nothing else: of a valid kind, and whole with its country or its trunk prefix."""
    if len(text) > _LONGEST or not 9 <= sum(map(str.isdecimal, text)) <= 15 or not _NUMBER.fullmatch(text):
        return None
    return _sure(text, country)


@lru_cache(maxsize=16_384)
def _sure(text: str, country: str) -> Phone | None:
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


def sure_emails(text: str) -> list[str]:
    """The addresses, if the value is nothing else."""
    if "@" not in text or len(text) > 254 or len(text.split()) > 1:
        return []
    return emails_in(text)


def phones_among(text: str, country: str) -> Iterator[Phone]:
    """Numbers in the midst of words: they may be anybody's."""
    for found in _IN_WORDS.finditer(text[:_MOST_WORDS]) if len(text) >= _SHORTEST and _DIGIT.search(text) else ():
        if phone := sure_phone(found[0].strip(), country):
            yield phone


def emails_among(text: str) -> Iterator[str]:
    """Addresses in the midst of words: they may be anybody's."""
    if "@" in text:
        for found in _MAIL_IN_WORDS.finditer(text[:_MOST_WORDS]):
            yield from emails_in(found[0])


def is_nobodys(kind: str, value: str) -> bool:
    """`is_placeholder` for names and e-mails; quick for those that begin with a word which is none."""
    word = _BEGINNING.match(value)
    begins_well = word is not None and (word[1] is not None or _is_somebodys(word[0]))
    if begins_well and (kind == "name" or _is_somebodys_host(value.rpartition("@")[2])):
        return False
    return is_placeholder(kind, value)


@lru_cache(maxsize=8_192)
def _is_somebodys(word: str) -> bool:
    return not is_placeholder("name", word) and not is_placeholder("email", f"{word}@host-of-somebody.com")


@lru_cache(maxsize=8_192)
def _is_somebodys_host(host: str) -> bool:
    return not is_placeholder("email", f"olena.koval@{host}")


def has_letters(text: str, least: int = 1) -> bool:
    return _LETTER.search(text) is not None if least == 1 else len(_LETTER.findall(text)) >= least


def is_a_name(text: str) -> bool:
    """Whether a text may be what somebody is called; it need not be."""
    return (
        len(text) <= 100
        and has_letters(text)
        and not any(mark in text for mark in "@{}[]<>=|\\")
        and "://" not in text
        and len(text.split()) <= 7
        and sum(map(str.isdecimal, text)) <= 3
    )
