"""One row per event of a card's history, as a salesperson reads it."""

from collections.abc import Iterable
from typing import get_args

from crm.envelope import Row
from crm.events import (
    CallUpdated,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    ContactUnmerged,
    ConversationNoted,
    DealAssigned,
    DealChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    DuplicateSuspected,
    EnquiryRepeated,
    IdentifierAdded,
    IdentifierDoubted,
    IdentifierRemoved,
    IdentifierSettled,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    NoteAdded,
    NoteChanged,
    NoteRemoved,
    PaymentMatched,
    PaymentShared,
    PaymentUnmatched,
    ReplyQueued,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
)
from crm.projection import projection
from crm.scalars import Id, Micros
from projections.conversation import summary

# What one form or payment leads to has one time. Entries of one moment are read in this order.
Merges = DuplicateSuspected | ContactMerged | ContactUnmerged
Known = IdentifierAdded | IdentifierRemoved | IdentifierDoubted | IdentifierSettled
People = ContactCreated | ContactRenamed | Known | ContactChanged | Merges
Talk = MessageReceived | MessageEdited | MessageDeleted | ReplyQueued | ConversationNoted | CallUpdated
Money = PaymentMatched | PaymentShared | PaymentUnmatched | DealPaid
Desk = NoteAdded | NoteChanged | NoteRemoved | TaskAdded | TaskChanged | TaskDone | TaskReopened | TaskRemoved
Told = People | Talk | DealOpened | EnquiryRepeated | DealChanged | DealAssigned | Money | DealStageMoved | Desk
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


@projection(key="entry_id", version=3, indexes=("contact_id, at, step", "deal_id, at, step"))
def timeline(row: None, event: Told) -> TimelineRow | None:
    title, text = sentence(event)
    amount = event.amount_minor if isinstance(event, DealOpened | DealChanged) else getattr(event, "change_minor", None)
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
        currency=getattr(event, "currency", "") or "",
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
        case IdentifierRemoved():
            return f"No longer known by {event.kind} {event.value}", event.why
        case IdentifierDoubted():
            return f"{event.kind} {event.value} identifies nobody alone", event.why
        case IdentifierSettled():
            return f"{event.kind} {event.value} is certain again", event.why
        case ContactMerged():
            return "Merged into another contact", event.why
        case ContactUnmerged():
            return "Stands for itself again", event.why
        case ContactChanged():
            return "Fields changed", named(event.fields)
        case DealOpened():
            return f"Deal D-{event.number} opened", "\n".join((event.title, *event.doubts))
        case EnquiryRepeated():
            return f"Asked again: {event.form}".rstrip(" :"), "\n".join(filter(None, (event.name, event.text)))
        case DealChanged():
            told = ("title", event.title), ("sum", event.amount_minor), ("reference", event.reference)
            return "Deal changed", named([*(name for name, value in told if value is not None), *event.fields])
        case DealAssigned():
            return f"Assigned to {event.owner}" if event.owner else "Nobody can take it", event.why
        case DealStageMoved():
            return f"Stage {event.from_stage} → {event.stage}", event.why
        case PaymentMatched():
            return f"Payment found its deal by {event.by}", event.why
        case PaymentShared():
            return "A part of a payment", event.why
        case PaymentUnmatched():
            return "Payment taken off", event.why
        case DealPaid():
            return "Refund" if event.change_minor < 0 else "Payment", event.why
        case MessageReceived():
            return said_by(event), summary(event)
        case MessageEdited():
            return "Message edited", summary(event)
        case ConversationNoted():
            return "In the chat", event.text
        case MessageDeleted():
            return "Message taken back", ""
        case ReplyQueued():
            return f"Answer of {event.author}" if event.author else "Answer", event.text
        case CallUpdated():
            return f"Call {event.phase.replace('_', ' ')}", told_of(event)
    return at_the_desk(event)


def at_the_desk(event: Desk) -> tuple[str, str]:
    match event:
        case NoteAdded():
            return "Note", event.text
        case NoteChanged():
            return "Note rewritten", event.text
        case NoteRemoved():
            return "Note taken away", ""
        case TaskAdded():
            return "Task", event.title
        case TaskChanged():
            return "Task changed", event.title
        case TaskDone():
            return "Task done", ""
        case TaskReopened():
            return "Task is to be done again", ""
        case TaskRemoved():
            return "Task taken away", ""


def named(names: Iterable[str]) -> str:
    return ", ".join(names)


def said_by(event: MessageReceived) -> str:
    whose = "Message to the customer" if event.direction == "out" else "Message"
    return f"{whose} from {event.sender_name}"


def told_of(event: CallUpdated) -> str:
    talk = "" if event.talk_s is None else f"talked {event.talk_s} s"
    number = (event.phone.text or event.phone.e164) if event.phone else ""
    other = f"{'to' if event.direction == 'out' else 'from'} {number}" if number else ""
    line = f"line {event.line}" if event.line else ""
    parts = (event.disposition.replace("_", " "), talk, event.employee, other, line, event.note)
    return ", ".join(part for part in parts if part)
