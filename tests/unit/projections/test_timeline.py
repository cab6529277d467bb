"""The sentences of a card's history, and the rows that one event gives whole."""

import pytest

from crm.envelope import Event
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
    PipelineChanged,
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
    WorkspaceCreated,
)
from crm.shared import ContactIdentifier, Phone
from projections.pipeline import PipelineRow, pipeline
from projections.timeline import STEPS, TimelineRow, timeline
from tests.support.projection_events import CALL, CHAT, DEAL, FILE, NOON, OLENA, PARCEL, PAYMENT, an_id, meta, row_of

M = meta()
ENTRIES: list[tuple[Event, str, str]] = [
    (ContactCreated(M, OLENA, "Olena", "form"), "New contact Olena", "From a form"),
    (ContactCreated(M, OLENA, "", "call"), "New contact", "From a call"),
    (
        ContactCreated(
            M,
            OLENA,
            "",
            "form",
            identifiers=(
                ContactIdentifier("phone", "+380671234567", "067 123"),
                ContactIdentifier("email", "o@x.ua", "o@x.ua"),
            ),
            fields={"city": '"Lviv"', "size": "7"},
        ),
        "New contact",
        "From a form\nKnown by phone +380671234567 (067 123)\nKnown by email o@x.ua\nFields: city, size",
    ),
    (ContactRenamed(M, OLENA, "Olena K.", "she said so"), "Name is now Olena K.", "she said so"),
    (IdentifierAdded(M, OLENA, "email", "o@example.com", "O@e"), "Learnt email o@example.com", "O@e"),
    (DuplicateSuspected(M, OLENA, an_id("other"), "email", "o@example.com"),
     "May be the same person as another contact", "Both have email o@example.com"),
    (IdentifierDoubted(M, OLENA, "email", "o@example.com", an_id("other"), "seen with two"),
     "email o@example.com identifies nobody alone", "seen with two"),
    (IdentifierSettled(M, OLENA, "email", "o@example.com", "hers"), "email o@example.com is certain again", "hers"),
    (EnquiryRepeated(M, OLENA, DEAL, "digest", "Callback", "Olena", "topic: Desk"),
     "Asked again: Callback", "Olena\ntopic: Desk"),
    (EnquiryRepeated(M, OLENA, DEAL, "digest"), "Asked again", ""),
    (ContactMerged(M, OLENA, an_id("other"), "one phone"), "Merged into another contact", "one phone"),
    (DealOpened(M, DEAL, OLENA, 7, "Desk", 1, "UAH", "new", "form"), "Deal D-7 opened", "Desk"),
    (DealAssigned(M, DEAL, OLENA, "taras", "all", 1, "round robin"), "Assigned to taras", "round robin"),
    (DealAssigned(M, DEAL, OLENA, "", "", 1, "no rule fits"), "Nobody can take it", "no rule fits"),
    (DealStageMoved(M, DEAL, OLENA, "new", "won", "paid"), "Stage new → won", "paid"),
    (PaymentMatched(M, PAYMENT, DEAL, OLENA, "number", "D-7"), "Payment found its deal by number", "D-7"),
    (DealPaid(M, DEAL, OLENA, PAYMENT, 5, 5, 0, "UAH", "settled"), "Payment", "settled"),
    (DealPaid(M, DEAL, OLENA, PAYMENT, -5, 0, 0, "UAH", "back"), "Refund", "back"),
    (MessageReceived(M, an_id("m"), CHAT, OLENA, "1", "Olena", "Hi"), "Message from Olena", "Hi"),
    (MessageReceived(M, an_id("m"), CHAT, OLENA, "1", "Olena", "", (FILE,)), "Message from Olena", "[document a.pdf]"),
    (MessageReceived(M, an_id("m"), CHAT, OLENA, "1", "Salon", "450", direction="out"),
     "Message to the customer from Salon", "450"),
    (ConversationNoted(M, CHAT, OLENA, "[blocked the bot]"), "In the chat", "[blocked the bot]"),
    (MessageEdited(M, an_id("m"), CHAT, OLENA, "Hello", NOON), "Message edited", "Hello"),
    (MessageEdited(M, an_id("m"), CHAT, OLENA, "", NOON, (FILE,)), "Message edited", "[document a.pdf]"),
    (MessageDeleted(M, an_id("m"), CHAT, OLENA), "Message taken back", ""),
    (CallUpdated(M, CALL, OLENA, "ringing", direction="in", phone=Phone("anonymous", ""), line="044"),
     "Call ringing", "from anonymous, line 044"),
    (CallUpdated(M, CALL, OLENA, "ringing", direction="out", phone=Phone("067", "+38067"), note="odd"),
     "Call ringing", "to 067, odd"),
    (CallUpdated(M, CALL, OLENA, "hung_up", "taras", talk_s=61, disposition="no_answer"), "Call hung up",
     "no answer, talked 61 s, taras"),
    (IdentifierRemoved(M, OLENA, "phone", "+38050", "by hand"), "No longer known by phone +38050", "by hand"),
    (ContactUnmerged(M, OLENA, an_id("other"), "her sister"), "Stands for itself again", "her sister"),
    (ContactChanged(M, OLENA, {"size": '"L"', "vip": "null"}), "Fields changed", "size, vip"),
    (DealChanged(M, DEAL, OLENA, amount_minor=5, fields={"size": '"L"'}), "Deal changed", "sum, size"),
    (PaymentShared(M, PAYMENT, DEAL, OLENA, 500, "5.00 UAH of 12.00"), "A part of a payment", "5.00 UAH of 12.00"),
    (PaymentUnmatched(M, PAYMENT, DEAL, OLENA, "her sister's"), "Payment taken off", "her sister's"),
    (ReplyQueued(M, an_id("m"), CHAT, OLENA, "Hello", "taras"), "Answer of taras", "Hello"),
    (ReplyQueued(M, an_id("m"), CHAT, OLENA, "Hello"), "Answer", "Hello"),
    (NoteAdded(M, an_id("n"), OLENA, "VIP"), "Note", "VIP"),
    (NoteChanged(M, an_id("n"), OLENA, "VIP!"), "Note rewritten", "VIP!"),
    (NoteRemoved(M, an_id("n"), OLENA), "Note taken away", ""),
    (TaskAdded(M, an_id("t"), OLENA, "Ring"), "Task", "Ring"),
    (TaskAdded(M, an_id("t"), OLENA, "Ring", why="rule “greet”"), "Task", "Ring\nrule “greet”"),
    (StageRuleApplied(M, DEAL, OLENA, an_id("r"), "greet", 2, "new", "D-1 reached new", ("Task",), ("No message.",)),
     "Rule “greet” (version 2)", "D-1 reached new\nTask\nNo message."),
    (TaskChanged(M, an_id("t"), OLENA, "Ring again"), "Task changed", "Ring again"),
    (TaskDone(M, an_id("t"), OLENA), "Task done", ""),
    (TaskReopened(M, an_id("t"), OLENA), "Task is to be done again", ""),
    (TaskRemoved(M, an_id("t"), OLENA), "Task taken away", ""),
    (DealChanged(M, DEAL, OLENA, title="Desk", doubts=("No stage 'x'.",)), "Deal changed", "title\nNo stage 'x'."),
    (ParcelAttached(M, PARCEL, DEAL, OLENA, "reference", "its order is R-1"), "Parcel found its deal by reference",
     "its order is R-1"),
    (ParcelDetached(M, PARCEL, DEAL, OLENA, "mistyped"), "Parcel taken off", "mistyped"),
    (ParcelMoved(M, PARCEL, DEAL, OLENA, "2045", "in_transit", "created", "Їде"), "Parcel 2045: in transit", "Їде"),
    (ReportDoubted(M, OLENA, "shop", "42", "Not a number."), "Report of shop about 42", "Not a number."),
    (ReplyUncertain(M, an_id("m"), CHAT, OLENA, "It broke off."), "Nobody knows whether the answer was sent",
     "It broke off."),
    (ReplyResolved(M, an_id("m"), CHAT, OLENA, "sent", "anna"), "The answer was sent", "anna"),
    (ReplyResolved(M, an_id("m"), CHAT, OLENA, "again"), "The answer is sent again", ""),
    (DealRemoved(M, DEAL, OLENA, 7, why="it was undone"), "Deal D-7 is gone", "it was undone"),
    (ContactRemoved(M, OLENA, "it was undone"), "The card is gone", "it was undone"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "title", "text"), ENTRIES)
def test_an_event_is_a_sentence(event: Event, title: str, text: str) -> None:
    row = row_of(timeline, event)
    assert (row.title, row.text, row.kind) == (title, text, type(event).__name__)


def test_every_kind_has_its_sentence() -> None:
    assert {type(event) for event, _, _ in ENTRIES} == set(timeline.handles) == set(STEPS)


def test_an_entry_carries_the_sum_and_what_it_is_about() -> None:
    paid = DealPaid(meta("paid"), DEAL, OLENA, PAYMENT, -500, 0, 0, "UAH", "money back")
    assert row_of(timeline, paid) == TimelineRow(
        an_id("paid"), OLENA, DEAL, None, None, PAYMENT, NOON, STEPS[DealPaid], "DealPaid", "Refund", "money back",
        -500, "UAH", "forms",
    )  # fmt: skip


def test_what_one_form_led_to_is_read_in_the_order_it_makes_sense() -> None:
    """All of it has one time: a deal was once shown as assigned before it was opened."""
    order = (ContactCreated, IdentifierAdded, DealOpened, DealAssigned, PaymentMatched, DealPaid, DealStageMoved)
    assert sorted(order, key=STEPS.__getitem__) == list(order)


def test_a_workspace_has_its_pipeline() -> None:
    event = WorkspaceCreated(M, "Shop", "UA", "UAH", "Europe/Kyiv", ("new", "talks"), "won", "talks")
    said = ("Shop", "UA", "UAH", "Europe/Kyiv", ("new", "talks"), "won", "talks")
    assert row_of(pipeline, event) == PipelineRow(M.id, *said)
    changed = PipelineChanged(M, M.id, "Shop 2", ("a", "b"), {"a": "A"}, "b", "a")
    places = ("UA", "UAH", "Europe/Kyiv", ("a", "b"), "b", "a")
    assert row_of(pipeline, event, changed) == PipelineRow(M.id, "Shop 2", *places, {"a": '"A"'}, 2)
