"""Part of the fourth invariant: a stream's events are in order, so none is about what does not exist yet."""

from functools import cache

from msgspec.structs import fields

from crm.envelope import Event
from crm.events import (
    CallOpened,
    ContactCreated,
    ConversationOpened,
    DealOpened,
    MessageReceived,
    PaymentMatched,
    PaymentParked,
    PaymentRecorded,
    PaymentReportOutdated,
)
from crm.scalars import Id
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation

BIRTHS: dict[type[Event], str] = {  # with which event something comes into being, and the field that names it
    ContactCreated: "contact_id",
    DealOpened: "deal_id",
    CallOpened: "call_id",
    ConversationOpened: "conversation_id",
    MessageReceived: "message_id",
    PaymentRecorded: "payment_id",
}
OF_A_PAYMENT = (PaymentRecorded, PaymentMatched, PaymentParked, PaymentReportOutdated)  # all else is of a contact


@cache
def named_by(kind: type[Event]) -> tuple[str, ...]:
    """Returns the fields that name what was created in the event's own stream."""
    if kind in OF_A_PAYMENT:
        return ("payment_id",)
    names = {field.name for field in fields(kind)}
    return tuple(name for name in BIRTHS.values() if name in names and name != "payment_id")


def broken(journal: Journal) -> list[str]:
    early, again = [], []
    for partition, events in journal.partitions.items():
        born: set[Id] = set()
        for position, event in events:
            kind = type(event)
            birth = BIRTHS.get(kind)
            for name in named_by(kind):
                id = getattr(event, name)
                if name == birth:
                    if id in born and kind is not PaymentRecorded:
                        again.append(f"{kind.__name__} {id} at {partition}/{position}")
                    born.add(id)
                elif id not in born:
                    early.append(f"{kind.__name__} at {partition}/{position} of {name} {id}")
    return [
        *violation("events come before what they are about was created", early),
        *violation("things came into being twice", again),
    ]
