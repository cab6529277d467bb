"""What the values of a line of POST /facts mean: numbers, addresses, currencies, moments, as people and programs
write them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crm.connector import HOME, Home
from crm.emails import emails_in
from crm.errors import Malformed
from crm.moments import written
from crm.money import DECIMALS, currency_named, read_sum, to_minor
from crm.phones import phones_in, read_phone
from crm.scalars import Id, Micros
from crm.shared import Payer, Phone
from services.intake.refusals import Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDEST = Micros(631_152_000_000_000)  # 1990-01-01: before that are zero dates, and seconds taken for microseconds
DAY = 86_400_000_000  # microseconds
AHEAD = {"changed_at": 31}  # days; any other moment may be one day ahead. A provider's own clock orders its reports.
CURRENCY = "Write an ISO 4217 code, as UAH or EUR, or a usual sign of it, as ₴ or грн."


class Number(Struct, frozen=True, gc=False):
    """A phone as an object. Its E.164 is worked out here, whatever the line says."""

    text: str = ""
    e164: str = ""
    extension: str = ""


class Teller(Struct, frozen=True):
    """Whose line it is, and when it came."""

    token: Id
    workspace: Id
    received_at: Micros
    trace: str = ""
    home: Home = HOME


Meaning = Callable[[Any, Teller], Any]


def micros(time: int | datetime) -> Micros:
    return Micros(time if isinstance(time, int) else (time - EPOCH) // timedelta(microseconds=1))


def moment(field: str) -> Meaning:
    """Raises Refusal for a moment that cannot be meant."""
    days = AHEAD.get(field, 1)
    ahead = f"more than {days} days ahead" if days > 1 else "more than a day ahead"

    def read(given: int | datetime, by: Teller) -> Micros:
        at = micros(given)
        if OLDEST <= at <= by.received_at + days * DAY:
            return at
        past = "before 1990" if at < OLDEST else ahead
        how = " A whole number is in microseconds since 1970." if isinstance(given, int) else ""
        raise Refusal(f"In `{field}`: {written(at)} is {past}; such a moment is a mistake.{how}", field=field)

    return read


def phone(given: Number | str, by: Teller) -> Phone:
    if isinstance(given, str):
        return read_phone(given, by.home.country)
    read = read_phone(given.e164 or given.text, by.home.country)
    return Phone(given.text or given.e164, read.e164, given.extension or read.extension)


def phones(given: tuple[Number | str, ...], by: Teller) -> tuple[Phone, ...]:
    """A text may hold several numbers. One that holds none is kept as it is."""
    found: list[Phone] = []
    for one in given:
        if isinstance(one, str):
            found += phones_in(one, by.home.country) or [Phone(one, "")]
        else:
            found.append(phone(one, by))
    return tuple(found)


def currency(given: str, by: Teller) -> str:
    """ISO 4217; empty when it was given empty. Raises Refusal."""
    if not given or given in DECIMALS:
        return given
    if code := currency_named(given):
        return code
    raise Refusal(f"In `currency`: {given[:40]!r} is no currency that is known. {CURRENCY}", field="currency")


def payer(given: Payer, by: Teller) -> tuple[Payer, tuple[str, ...]]:
    """How a payer is known, in the form in which it can be compared; and sentences on what identifies nobody."""
    phone, email, doubts = given.phone.strip(), given.email.strip(), []
    if phone and not (number := read_phone(phone, by.home.country).e164):
        doubts.append(f"The payer's phone {phone[:100]!r} cannot be read as one number: it identifies nobody.")
    if email and len(found := emails_in(email)) != 1:
        doubts.append(f"The payer's e-mail {email[:100]!r} cannot be read as one address: it identifies nobody.")
    known = replace(
        given,
        phone=number if phone else "",
        email=found[0] if email and len(found) == 1 else "",
    )
    return known, tuple(doubts)


def emails(given: tuple[str, ...], _: Teller) -> tuple[str, ...]:
    """In the form in which they can be compared. A text that holds none for certain stays as it is: it is said when
    it is decided, and identifies nobody."""
    found: list[str] = []
    for text in given:
        found += emails_in(text) or [text]
    return tuple(found)


def amount(given: str, code: str, by: Teller) -> tuple[int, str]:
    """Minor units and currency of a sum as text. `code`: the currency that the line names, if any. Raises Refusal."""
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
