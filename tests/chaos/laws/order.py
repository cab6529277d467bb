"""A part of the fourth law: a stream's events are in order, so nothing is told of what has not come into being."""

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
from tests.chaos.laws.journal import Journal
from tests.chaos.laws.sentences import sentence

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
    """The fields that name what was born in the event's own stream."""
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
        *sentence("events are told before what they are about came into being", early),
        *sentence("things came into being twice", again),
    ]
