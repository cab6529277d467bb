"""Limits of what rows can hold: the length of an identifier in an index, and the years of the calendar."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from msgspec.structs import replace

from crm.decisions.chat import account_of
from crm.decisions.payers import identifiers_of
from crm.decisions.payment_evidence import NOBODY
from crm.envelope import Fact
from crm.facts import CallReported, MessageReported, PaymentReported
from crm.scalars import Micros

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999, in microseconds
MOMENTS = ("changed_at", "started_at", "edited_at", "sent_at")  # fields of facts
OUTSIDE = "It names a moment outside the years 1 to 9999. The delivery is kept. Send it with its true time."
Named = tuple[str, str]  # kind and value of an identifier
LONGEST = 200  # characters of an identifier, as in crm.state.key: a hash of one could not go into another card


def identifiers_of_payment(report: PaymentReported) -> Iterator[Named]:
    return (
        ((identifier.kind, identifier.value) for identifier in identifiers_of(report.payer))
        if report.payer != NOBODY
        else iter(())
    )


def identifiers_of_message(report: MessageReported) -> list[Named]:
    account = account_of(report)
    phone = [("phone", report.shared_phone.e164)] if report.shared_phone else []
    return [(account.kind, account.value), *phone]


@cache
def moments_of(kind: type[Fact]) -> tuple[str, ...]:
    return tuple(name for name in MOMENTS if name in kind.__struct_fields__)


IDENTIFIERS: dict[type[Fact], Callable[[Any], Iterable[Named]]] = {
    PaymentReported: identifiers_of_payment,
    CallReported: lambda report: [("phone", report.phone.e164)],
    MessageReported: identifiers_of_message,
}


def violates_limits(fact: Fact) -> str:
    """Returns why the fact cannot be decided on; empty when it can."""
    if not FIRST <= fact.meta.occurred_at <= LAST:
        return OUTSIDE
    for name in moments_of(type(fact)):
        at = getattr(fact, name)
        if at is not None and not FIRST <= at <= LAST:
            return OUTSIDE
    identifiers = IDENTIFIERS.get(type(fact))
    for kind, value in identifiers(fact) if identifiers else ():
        if (length := len(kind) + len(":") + len(value)) > LONGEST:
            return (
                f"It names somebody by {kind[:40]!r} of {length} characters; {LONGEST} are the most that can be "
                "looked up. The delivery is kept. Send it with a shorter one."
            )
    return ""


def clamp_times(fact: Fact, now: Micros) -> Fact:
    """Returns the fact with a time that a row can hold: one outside the calendar becomes `now`."""
    if FIRST <= fact.meta.occurred_at <= LAST:
        return fact
    return replace(fact, meta=replace(fact.meta, occurred_at=now))
