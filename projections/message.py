"""One row per message of a conversation, as it reads now."""

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import MessageEdited, MessageReceived, ReplyQueued
from crm.projection import projection
from crm.scalars import Id, Micros


class MessageRow(Row, frozen=True, gc=False):
    """A message, of the contact or to it. `edited_at` is set when its text is no longer the first."""

    message_id: Id
    conversation_id: Id
    contact_id: Id
    message: str
    sender_name: str
    text: str
    attachments: tuple[str, ...]  # JSON text of crm.Attachment
    reply_to: str
    sent_at: Micros
    edited_at: Micros | None
    direction: str = "in"  # or out
    status: str = "received"  # or queued: it waits to be delivered


@projection(
    key="message_id",
    version=2,
    indexes=("conversation_id, sent_at",),
    found_by_words="text",
)
def message(row: MessageRow | None, event: MessageReceived | MessageEdited | ReplyQueued) -> MessageRow | None:
    match event:
        case MessageReceived():
            return row or MessageRow(
                message_id=event.message_id,
                conversation_id=event.conversation_id,
                contact_id=event.contact_id,
                message=event.message,
                sender_name=event.sender_name,
                text=event.text,
                attachments=tuple(json.encode(a).decode() for a in event.attachments),
                reply_to=event.reply_to,
                sent_at=event.meta.occurred_at,
                edited_at=event.edited_at,
            )
        case ReplyQueued():
            return row or queued(event)
        case MessageEdited() if row and event.edited_at >= (row.edited_at or 0):
            return replace(row, text=event.text, edited_at=event.edited_at)
    return row


def queued(event: ReplyQueued) -> MessageRow:
    return MessageRow(
        message_id=event.message_id,
        conversation_id=event.conversation_id,
        contact_id=event.contact_id,
        message="",  # its channel names it when it is delivered
        sender_name=event.author,
        text=event.text,
        attachments=(),
        reply_to=event.reply_to or "",
        sent_at=event.meta.occurred_at,
        edited_at=None,
        direction="out",
        status="queued",
    )
