"""Reads the values of a line of POST /facts: phones, e-mails, currencies, times and amounts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crm.connector import HOME, Home
from crm.errors import Malformed
from crm.moments import written
from crm.money import DECIMALS, currency_named, read_sum, to_minor
from crm.phones import phones_in, read_phone
from crm.scalars import Id, Micros
from crm.shared import Payer, Phone
from crm.text.emails import emails_in
from services.intake.refusals import Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDEST = Micros(631_152_000_000_000)  # 1990-01-01: earlier ones are zero dates, or seconds mistaken for microseconds
DAY = 86_400_000_000  # microseconds
AHEAD = {
    "changed_at": 31,
    "expected_at": 366,
}  # days; other times may be one day ahead. A provider's own clock orders its reports.
CURRENCY = "Use an ISO 4217 code such as UAH or EUR, or a common sign such as ₴ or грн."


class Number(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A phone as an object. Its E.164 form is always computed here."""

    text: str = ""
    e164: str = ""
    extension: str = ""


class LineContext(Struct, frozen=True):
    """The context of a line: token, workspace, and time of arrival."""

    token: Id
    workspace: Id
    received_at: Micros
    trace: str = ""
    home: Home = HOME


Meaning = Callable[[Any, LineContext], Any]


def micros(time: int | datetime) -> Micros:
    return Micros(time if isinstance(time, int) else (time - EPOCH) // timedelta(microseconds=1))


def moment(field: str) -> Meaning:
    """Returns a reader of times. It raises Refusal for a time that must be a mistake."""
    days = AHEAD.get(field, 1)
    ahead = f"more than {days} days ahead" if days > 1 else "more than a day ahead"

    def read(given: int | datetime, by: LineContext) -> Micros:
        at = micros(given)
        if OLDEST <= at <= by.received_at + days * DAY:
            return at
        past = "before 1990" if at < OLDEST else ahead
        how = " A whole number is in microseconds since 1970." if isinstance(given, int) else ""
        raise Refusal(f"In `{field}`: {written(at)} is {past}, which must be a mistake.{how}", field=field)

    return read


def phone(given: Number | str, by: LineContext) -> Phone:
    if isinstance(given, str):
        return read_phone(given, by.home.country)
    read = read_phone(given.e164 or given.text, by.home.country)
    return Phone(given.text or given.e164, read.e164, given.extension or read.extension)


def phones(given: tuple[Number | str, ...], by: LineContext) -> tuple[Phone, ...]:
    """Reads phones. A text may contain several numbers; one without any is kept as it is."""
    found: list[Phone] = []
    for one in given:
        if isinstance(one, str):
            found += phones_in(one, by.home.country) or [Phone(one, "")]
        else:
            found.append(phone(one, by))
    return tuple(found)


def currency(given: str, by: LineContext) -> str:
    """Returns an ISO 4217 code; empty for an empty text. Raises Refusal."""
    if not given or given in DECIMALS:
        return given
    if code := currency_named(given):
        return code
    raise Refusal(f"In `currency`: {given[:40]!r} is not a known currency. {CURRENCY}", field="currency")


def payer(given: Payer, by: LineContext) -> tuple[Payer, tuple[str, ...]]:
    """Returns the payer with normalized phone and e-mail, and a sentence on each that cannot be read."""
    phone, email, doubts = given.phone.strip(), given.email.strip(), []
    if phone and not (number := read_phone(phone, by.home.country).e164):
        doubts.append(f"The payer's phone {phone[:100]!r} cannot be read as one number and is ignored.")
    if email and len(found := emails_in(email)) != 1:
        doubts.append(f"The payer's e-mail {email[:100]!r} cannot be read as one address and is ignored.")
    known = replace(given, phone=number if phone else "", email=found[0] if email and len(found) == 1 else "")
    return known, tuple(doubts)


def emails(given: tuple[str, ...], _: LineContext) -> tuple[str, ...]:
    """Normalizes e-mails. A text without one is kept as it is: decide reports it, and it identifies nobody."""
    found: list[str] = []
    for text in given:
        found += emails_in(text) or [text]
    return tuple(found)


def amount(given: str, code: str, by: LineContext) -> tuple[int, str]:
    """Returns minor units and currency of an amount as text. `code`: the line's currency, if any. Raises Refusal."""
    expected = code or by.home.currency
    try:
        return to_minor(given, expected), expected
    except Malformed as error:
        read = read_sum(given, expected)
        if read is None:
            raise Refusal(f"In `amount`: {error}", field="amount") from None
    if code and read[1] != code:
        raise Refusal(f"In `amount`: {given[:40]!r} is in {read[1]}, and `currency` is {code}.", field="amount")
    return read
