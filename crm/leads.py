"""Phone numbers and e-mail addresses in raw bytes: whom to call back while a delivery lies in quarantine."""

import re
from urllib.parse import unquote_plus

from crm.phones import read_phone

LOOKED_AT = 65_536  # bytes
MOST = 10  # of each kind
ESCAPED = re.compile(r"\\u00([0-9a-fA-F]{2})")
PHONE = re.compile(r"(?<![\w.@+])(?:\+|\(?0|380|80)[\d \u00a0().+-]{7,20}\d(?![\w@])")
EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")


def identifiers_in(body: bytes, country: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Phone numbers (E.164) and e-mail addresses that stand in raw bytes of any format: for eyes, never an identity."""
    text = body[:LOOKED_AT].decode("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), unquote_plus(text) if "%" in text else text)
    phones = (read_phone(as_written(found[0]), country).e164 for found in PHONE.finditer(text))
    emails = (found[0].lower() for found in EMAIL.finditer(text))
    return tuple(dict.fromkeys(filter(None, phones)))[:MOST], tuple(dict.fromkeys(emails))[:MOST]


def as_written(found: str) -> str:
    """A plus within is a blank of an urlencoded body."""
    return found[0] + found[1:].replace("+", " ")
