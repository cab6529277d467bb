"""One row per conversation: its contact, its channel and its last message."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import (
    ConversationOpened,
    ConversationReached,
    MessageDuplicated,
    MessageEdited,
    MessageReceived,
    ReplyQueued,
)
from crm.projection import projection
from crm.scalars import Id, Micros


class ConversationRow(Row, frozen=True, gc=False):
    """A chat with a contact."""

    conversation_id: Id
    contact_id: Id
    channel: str
    chat: str
    title: str
    message_count: int
    last_message_id: Id | None
    last_text: str
    opened_at: Micros
    touched_at: Micros
    question_at: Micros | None = None  # the first message of the contact
    answered_at: Micros | None = None  # the first message to it after that
    answered_by: str = ""
    answer_s: int | None = None  # seconds between the two
    owner: str = ""  # who had the contact's newest deal when it was answered
    unanswered: bool = False  # its last message is the contact's
    delivered_up_to: Micros | None = None  # all of ours that were sent until then were delivered
    read_up_to: Micros | None = None


Said = MessageReceived | MessageEdited | MessageDuplicated | ReplyQueued
ConversationEvent = ConversationOpened | ConversationReached | Said


@projection(
    key="conversation_id",
    version=8,
    indexes=("touched_at", "opened_at", "unanswered, touched_at", "contact_id, touched_at"),
    found_by=("title",),
    totals=("channel, answered_by by opened_at", "channel, owner by opened_at"),
    summed=("answer_s",),
)
def conversation(row: ConversationRow | None, event: ConversationEvent) -> ConversationRow | None:
    at = event.meta.occurred_at
    match event:
        case ConversationOpened():
            return row or ConversationRow(
                event.conversation_id, event.contact_id, event.channel, event.chat, event.title, 0, None, "", at, at
            )
        case MessageReceived() | ReplyQueued() if row:
            row, count = with_answer(row, event), row.message_count + 1
            if at < row.touched_at:  # an older message that arrived late
                return replace(row, message_count=count)
            last, text = event.message_id, summary(event)
            asks = isinstance(event, MessageReceived) and event.direction != "out"
            row = replace(row, last_message_id=last, last_text=text, message_count=count)
            return replace(row, touched_at=at, unanswered=row.unanswered if by_rule(event) else asks)
        case ConversationReached() if row:
            delivered = max(event.up_to, row.delivered_up_to or event.up_to)
            read = max(event.up_to, row.read_up_to or event.up_to) if event.status == "read" else row.read_up_to
            return replace(row, delivered_up_to=delivered, read_up_to=read)
        case MessageEdited() if row and row.last_message_id == event.message_id:
            return replace(row, last_text=summary(event))
        case MessageDuplicated() if row:
            row = replace(row, message_count=row.message_count - 1)
            was_last = row.last_message_id == event.message_id
            return replace(row, last_message_id=event.original_id) if was_last else row
    return row


def with_answer(row: ConversationRow, event: MessageReceived | ReplyQueued) -> ConversationRow:
    """Returns the row with the first question and the first answer to it, by when they were sent."""
    sent = event.meta.occurred_at if isinstance(event, ReplyQueued) or event.sent_at is None else event.sent_at
    question, answered, by, owner = row.question_at, row.answered_at, row.answered_by, row.owner
    if isinstance(event, MessageReceived) and event.direction == "in":
        question = sent if question is None else min(question, sent)
    elif not by_rule(event) and question is not None and sent >= question and (answered is None or sent < answered):
        answered, by = sent, event.author if isinstance(event, ReplyQueued) else event.sender_name
        owner = event.owner
    seconds = None if question is None or answered is None else (answered - question) // 1_000_000
    return replace(row, question_at=question, answered_at=answered, answered_by=by, answer_s=seconds, owner=owner)


def by_rule(event: MessageReceived | ReplyQueued) -> bool:
    """Whether nobody wrote it: it answers no question."""
    return isinstance(event, ReplyQueued) and event.stage_rule_id is not None


def summary(event: MessageReceived | MessageEdited | ReplyQueued) -> str:
    """Returns the text of a message, or a list of its files when it has no text."""
    if event.text:
        return event.text
    return ", ".join(f"[{' '.join(filter(None, (file.kind, file.name)))}]" for file in event.attachments or ())
