"""What can be told but not kept in rows: who is named by more than an index holds, and moments outside the calendar."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from msgspec.structs import replace

from crm.decisions.chat import account_of
from crm.decisions.gathering import NOBODY
from crm.decisions.payers import ways_of
from crm.envelope import Fact
from crm.facts import CallReported, MessageReported, PaymentReported
from crm.scalars import Micros

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # the years 1 to 9999, in microseconds
MOMENTS = ("changed_at", "started_at", "edited_at", "sent_at")  # fields of facts
Named = tuple[str, str]  # kind and value of a way to know somebody
LONGEST = 200  # characters of a way to know somebody, as in crm.state.key: a hash of one could not go into another card


def ways_of_payment(report: PaymentReported) -> Iterator[Named]:
    return ((way.kind, way.value) for way in ways_of(report.payer)) if report.payer != NOBODY else iter(())


def ways_of_message(report: MessageReported) -> list[Named]:
    account = account_of(report)
    phone = [("phone", report.shared_phone.e164)] if report.shared_phone else []
    return [(account.kind, account.value), *phone]


@cache
def moments_of(kind: type[Fact]) -> tuple[str, ...]:
    return tuple(name for name in MOMENTS if name in kind.__struct_fields__)


WAYS: dict[type[Fact], Callable[[Any], Iterable[Named]]] = {
    PaymentReported: ways_of_payment,
    CallReported: lambda report: [("phone", report.phone.e164)],
    MessageReported: ways_of_message,
}


def unfit(fact: Fact) -> str:
    """Why the fact cannot be decided on; empty when it can."""
    for at in (fact.meta.occurred_at, *[getattr(fact, name) for name in moments_of(type(fact))]):
        if at is not None and not FIRST <= at <= LAST:
            return "It names a moment outside the years 1 to 9999. The delivery is kept. Send it with its true time."
    ways = WAYS.get(type(fact))
    for kind, value in ways(fact) if ways else ():
        if (length := len(kind) + len(":") + len(value)) > LONGEST:
            return (
                f"It names somebody by {kind[:40]!r} of {length} characters; {LONGEST} are the most that can be "
                "looked up. The delivery is kept. Send it with a shorter one."
            )
    return ""


def dated(fact: Fact, now: Micros) -> Fact:
    """The fact at a moment that a row can have: what was told at none is told now."""
    if FIRST <= fact.meta.occurred_at <= LAST:
        return fact
    return replace(fact, meta=replace(fact.meta, occurred_at=now))
