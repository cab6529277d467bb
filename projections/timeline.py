"""One row per event of a card's history, as a salesperson reads it."""

from typing import get_args

from crm.envelope import Row
from crm.events import (
    CallUpdated,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    DealAssigned,
    DealOpened,
    DealPaid,
    DealStageMoved,
    DuplicateSuspected,
    IdentifierAdded,
    MessageEdited,
    MessageReceived,
    PaymentMatched,
)
from crm.projection import projection
from crm.scalars import Id, Micros

# What one form or payment leads to has one time. Entries of one moment are read in this order.
People = ContactCreated | ContactRenamed | IdentifierAdded | DuplicateSuspected | ContactMerged
Talk = MessageReceived | MessageEdited | CallUpdated
Told = People | Talk | DealOpened | DealAssigned | PaymentMatched | DealPaid | DealStageMoved
STEPS = {kind: step for step, kind in enumerate(get_args(Told))}


class TimelineRow(Row, frozen=True, gc=False):
    """One thing that happened to a contact or a deal."""

    entry_id: Id
    contact_id: Id
    deal_id: Id | None
    call_id: Id | None
    conversation_id: Id | None
    payment_id: Id | None
    at: Micros
    step: int  # order among entries of one moment
    kind: str
    title: str
    text: str
    amount_minor: int | None
    currency: str
    actor: str


@projection(key="entry_id", version=1, indexes=("contact_id, at, step", "deal_id, at, step"))
def timeline(row: None, event: Told) -> TimelineRow | None:
    title, text = sentence(event)
    amount = event.amount_minor if isinstance(event, DealOpened) else getattr(event, "change_minor", None)
    return TimelineRow(
        entry_id=event.meta.id,
        contact_id=event.contact_id,
        deal_id=getattr(event, "deal_id", None),
        call_id=getattr(event, "call_id", None),
        conversation_id=getattr(event, "conversation_id", None),
        payment_id=getattr(event, "payment_id", None),
        at=event.meta.occurred_at,
        step=STEPS[type(event)],
        kind=type(event).__name__,
        title=title,
        text=text,
        amount_minor=amount,
        currency=getattr(event, "currency", ""),
        actor=event.meta.actor,
    )


def sentence(event: Told) -> tuple[str, str]:
    """What happened in one line, and what there is to read about it."""
    match event:
        case ContactCreated():
            return f"New contact {event.name}".strip(), f"From a {event.source}"
        case ContactRenamed():
            return f"Name is now {event.name}", event.why
        case IdentifierAdded():
            return f"Learnt {event.kind} {event.value}", event.text
        case DuplicateSuspected():
            return "May be the same person as another contact", f"Both have {event.kind} {event.value}"
        case ContactMerged():
            return "Merged into another contact", event.why
        case DealOpened():
            return f"Deal D-{event.number} opened", event.title
        case DealAssigned():
            return f"Assigned to {event.owner}" if event.owner else "Nobody can take it", event.why
        case DealStageMoved():
            return f"Stage {event.from_stage} → {event.stage}", event.why
        case PaymentMatched():
            return f"Payment found its deal by {event.by}", event.why
        case DealPaid():
            return "Refund" if event.change_minor < 0 else "Payment", event.why
        case MessageReceived():
            return f"Message from {event.sender_name}", event.text
        case MessageEdited():
            return "Message edited", event.text
        case CallUpdated():
            return f"Call {event.phase.replace('_', ' ')}", told_of(event)


def told_of(event: CallUpdated) -> str:
    talk = "" if event.talk_s is None else f"talked {event.talk_s} s"
    return ", ".join(part for part in (event.disposition.replace("_", " "), talk, event.employee) if part)
