"""One row per event in the history of a contact or a deal, in words for a salesperson."""

from collections.abc import Callable
from typing import Any, get_args

from crm.envelope import Event, Row
from crm.events import (
    CallUpdated,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRemoved,
    ContactRenamed,
    ContactUnmerged,
    ConversationNoted,
    DealAssigned,
    DealChanged,
    DealOpened,
    DealPaid,
    DealRemoved,
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
    ParcelAttached,
    ParcelDetached,
    ParcelMoved,
    PaymentMatched,
    PaymentShared,
    PaymentUnmatched,
    ReplyQueued,
    ReplyResolved,
    ReplyUncertain,
    ReportDoubted,
    StageRuleApplied,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
)
from crm.projection import projection
from crm.scalars import Id, Micros
from projections.conversation import summary

# All events of one form or payment have the same time. Entries of one moment are shown in the order of these types.
MergeEvent = DuplicateSuspected | ContactMerged | ContactUnmerged
IdentifierEvent = IdentifierAdded | IdentifierRemoved | IdentifierDoubted | IdentifierSettled
ContactEvent = ContactCreated | ContactRenamed | IdentifierEvent | ContactChanged | MergeEvent
ConversationEvent = MessageReceived | MessageEdited | MessageDeleted | ReplyQueued | ConversationNoted | CallUpdated
PaymentEvent = PaymentMatched | PaymentShared | PaymentUnmatched | DealPaid
ParcelEvent = ParcelAttached | ParcelDetached | ParcelMoved
WorkEvent = NoteAdded | NoteChanged | NoteRemoved | TaskAdded | TaskChanged | TaskDone | TaskReopened | TaskRemoved
BeforePayment = DealOpened | EnquiryRepeated | DealChanged | DealAssigned
TimelineEvent = (
    ContactEvent
    | ConversationEvent
    | BeforePayment
    | PaymentEvent
    | ParcelEvent
    | DealStageMoved
    | StageRuleApplied
    | WorkEvent
    | ReportDoubted
    | ReplyUncertain
    | ReplyResolved
    | DealRemoved
    | ContactRemoved
)
WITH_AMOUNT = frozenset((DealOpened, DealChanged))
STEPS = {kind: step for step, kind in enumerate(get_args(TimelineEvent))}


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
    parcel_id: Id | None = None


@projection(key="entry_id", version=7, indexes=("contact_id, at, step", "deal_id, at, step"))
def timeline(row: None, event: TimelineEvent) -> TimelineRow:
    kind, meta = type(event), event.meta
    title, text = SENTENCES[kind](event)
    amount = getattr(event, "amount_minor" if kind in WITH_AMOUNT else "change_minor", None)
    return TimelineRow(
        entry_id=meta.id,
        contact_id=event.contact_id,
        deal_id=getattr(event, "deal_id", None),
        call_id=getattr(event, "call_id", None),
        conversation_id=getattr(event, "conversation_id", None),
        payment_id=getattr(event, "payment_id", None),
        at=meta.occurred_at,
        step=STEPS[kind],
        kind=kind.__name__,
        title=title,
        text=text,
        amount_minor=amount,
        currency=getattr(event, "currency", "") or "",
        actor=meta.actor,
        parcel_id=getattr(event, "parcel_id", None),
    )


def created_text(event: ContactCreated) -> str:
    """Returns where a contact came from, what it is known by, and what is known of it, a line each."""
    lines = [f"From a {event.source}"]
    for one in event.identifiers:
        written = f" ({one.text})" if one.text not in ("", one.value) else ""
        lines.append(f"Known by {one.kind} {one.value}{written}")
    return "\n".join([*lines, f"Fields: {', '.join(event.fields)}"] if event.fields else lines)


def changed(event: DealChanged) -> str:
    """Returns the names of the fields that changed, and what a report of its source left in doubt."""
    columns = ("title", event.title), ("sum", event.amount_minor), ("reference", event.reference)
    names = ", ".join([*(name for name, value in columns if value is not None), *event.fields])
    return "\n".join(filter(None, (names, *(event.doubts or ()))))


def message_title(event: MessageReceived) -> str:
    kind = "Message to the customer" if event.direction == "out" else "Message"
    return f"{kind} from {event.sender_name}"


def call_text(event: CallUpdated) -> str:
    """Returns what is known of a call, joined by commas."""
    talk = "" if event.talk_s is None else f"talked {event.talk_s} s"
    number = (event.phone.text or event.phone.e164) if event.phone else ""
    caller = f"{'to' if event.direction == 'out' else 'from'} {number}" if number else ""
    line = f"line {event.line}" if event.line else ""
    parts = (event.disposition.replace("_", " "), talk, event.employee, caller, line, event.note)
    return ", ".join(part for part in parts if part)


def rule_text(event: StageRuleApplied) -> str:
    return "\n".join((event.why, *event.done, *event.left_out))


def repeated_enquiry(event: EnquiryRepeated) -> tuple[str, str]:
    return f"Asked again: {event.form}".rstrip(" :"), "\n".join(filter(None, (event.name, event.text)))


SENTENCES: dict[type[Event], Callable[[Any], tuple[str, str]]] = {
    ContactCreated: lambda e: (f"New contact {e.name}".strip(), created_text(e)),
    ContactRenamed: lambda e: (f"Name is now {e.name}", e.why),
    IdentifierAdded: lambda e: (f"Learnt {e.kind} {e.value}", e.text),
    DuplicateSuspected: lambda e: ("May be the same person as another contact", f"Both have {e.kind} {e.value}"),
    IdentifierRemoved: lambda e: (f"No longer known by {e.kind} {e.value}", e.why),
    IdentifierDoubted: lambda e: (f"{e.kind} {e.value} identifies nobody alone", e.why),
    IdentifierSettled: lambda e: (f"{e.kind} {e.value} is certain again", e.why),
    ContactMerged: lambda e: ("Merged into another contact", e.why),
    ContactUnmerged: lambda e: ("Stands for itself again", e.why),
    ContactChanged: lambda e: ("Fields changed", ", ".join(e.fields)),
    DealOpened: lambda e: (f"Deal D-{e.number} opened", "\n".join((e.title, *e.doubts))),
    EnquiryRepeated: repeated_enquiry,
    DealChanged: lambda e: ("Deal changed", changed(e)),
    DealAssigned: lambda e: (f"Assigned to {e.owner}" if e.owner else "Nobody can take it", e.why),
    DealStageMoved: lambda e: (f"Stage {e.from_stage} → {e.stage}", e.why),
    StageRuleApplied: lambda e: (f"Rule “{e.rule}” (version {e.version})", rule_text(e)),
    PaymentMatched: lambda e: (f"Payment found its deal by {e.by}", e.why),
    PaymentShared: lambda e: ("A part of a payment", e.why),
    PaymentUnmatched: lambda e: ("Payment taken off", e.why),
    ParcelAttached: lambda e: (f"Parcel found its deal by {e.by}", e.why),
    ParcelDetached: lambda e: ("Parcel taken off", e.why),
    ParcelMoved: lambda e: (f"Parcel {e.tracking_number}: {e.status.replace('_', ' ')}", e.why),
    DealPaid: lambda e: ("Refund" if e.change_minor < 0 else "Payment", e.why),
    MessageReceived: lambda e: (message_title(e), summary(e)),
    MessageEdited: lambda e: ("Message edited", summary(e)),
    ConversationNoted: lambda e: ("In the chat", e.text),
    MessageDeleted: lambda e: ("Message taken back", ""),
    ReplyQueued: lambda e: (f"Answer of {e.author}" if e.author else "Answer", e.text or summary(e)),
    CallUpdated: lambda e: (f"Call {e.phase.replace('_', ' ')}", call_text(e)),
    NoteAdded: lambda e: ("Note", e.text),
    NoteChanged: lambda e: ("Note rewritten", e.text),
    NoteRemoved: lambda e: ("Note taken away", ""),
    TaskAdded: lambda e: ("Task", "\n".join(filter(None, (e.title, e.why)))),
    TaskChanged: lambda e: ("Task changed", e.title),
    TaskDone: lambda e: ("Task done", ""),
    TaskReopened: lambda e: ("Task is to be done again", ""),
    TaskRemoved: lambda e: ("Task taken away", ""),
    DealRemoved: lambda e: (f"Deal D-{e.number} is gone", e.why),
    ContactRemoved: lambda e: ("The card is gone", e.why),
    ReplyUncertain: lambda e: ("Nobody knows whether the answer was sent", e.reason),
    ReplyResolved: lambda e: ("The answer was sent" if e.outcome == "sent" else "The answer is sent again", e.author),
    ReportDoubted: lambda e: (f"Report of {e.system} about {e.key}", e.why),
}
"""By kind of event: the title and the text of its entry."""
