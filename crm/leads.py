"""What may be at risk while a delivery lies in quarantine: a person who waits for an answer, or money."""

import re
from typing import Literal
from urllib.parse import unquote_plus

from crm.connector_catalogue import connectors_of
from crm.phones import read_phone

Risk = Literal["lead", "payment", ""]
PAYMENT = "PaymentReported"  # the type of a fact that is about money alone, in place of its connector
UNREADABLE = "kafka"  # the connector of a record that does not even tell its workspace
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


def risk(connector: str, reachable: bool) -> Risk:
    """`reachable`: a phone number or an address stands in the bytes. What is not known to tell of money alone may hold
    a person, so a new connector is counted rather than overlooked."""
    money = connector == PAYMENT or connector in connectors_of("banking")
    if reachable or not (money or connector == UNREADABLE):
        return "lead"
    return "payment" if money else ""
