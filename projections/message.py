"""One row per message of a conversation, in its current form."""

from collections.abc import Iterable

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import (
    MessageDeleted,
    MessageDuplicated,
    MessageEdited,
    MessageReceived,
    MessageStatusChanged,
    ReplyQueued,
    ReplyResolved,
    ReplySent,
    ReplyUncertain,
)
from crm.projection import projection
from crm.scalars import Id, Micros
from crm.shared import Attachment
from crm.vocabulary import MessageStatus


class MessageRow(Row, frozen=True, gc=False):
    """A message, of the contact or to it. `edited_at` is set when what it says is no longer the first."""

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
    # received, queued (it waits to be sent), kept (it is not sent from here: imported, or stored by a release that did
    # not send), uncertain (nobody knows whether it was sent), sent, failed, delivered, read or deleted (taken back)
    status: str = "received"
    failure: str = ""  # why it failed, or why nobody knows
    subject: str = ""  # of a mail, as are the next ones
    html: str = ""
    sent_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


ReplyEvent = ReplyQueued | ReplySent | ReplyUncertain | ReplyResolved
MessageEvent = MessageReceived | MessageEdited | MessageDeleted | MessageDuplicated | MessageStatusChanged | ReplyEvent
PROGRESS = ("queued", "uncertain", *MessageStatus)  # of a message of ours; it never goes back


@projection(key="message_id", version=7, indexes=("conversation_id, sent_at",), found_by_words="text")
def message(row: MessageRow | None, event: MessageEvent) -> MessageRow | None:
    match event:
        case MessageReceived():
            return row or MessageRow(
                message_id=event.message_id,
                conversation_id=event.conversation_id,
                contact_id=event.contact_id,
                message=event.message,
                sender_name=event.sender_name,
                text=event.text,
                attachments=texts(event.attachments),
                reply_to=event.reply_to,
                sent_at=event.meta.occurred_at if event.sent_at is None else event.sent_at,
                edited_at=event.edited_at,
                direction=event.direction,
                status="sent" if event.direction == "out" else "received",
                subject=event.subject,
                html=event.html,
                sent_to=event.sent_to,
                cc=event.cc,
            )
        case ReplyQueued():
            return row or queued(event)
        case ReplySent() | ReplyUncertain() | ReplyResolved() if row:
            return progressed(row, event)
        case MessageDuplicated():
            return None
        case MessageEdited() if row and event.edited_at >= (row.edited_at or 0):
            files = row.attachments if event.attachments is None else texts(event.attachments)
            html = row.html if event.html is None else event.html
            return replace(row, text=event.text, attachments=files, edited_at=event.edited_at, html=html)
        case MessageStatusChanged() if row and is_further(event.status, row.status):
            return replace(row, status=event.status, failure=event.reason if event.status == "failed" else "")
        case MessageDeleted() if row:
            return replace(row, status="deleted")
    return row


def progressed(row: MessageRow, event: ReplySent | ReplyUncertain | ReplyResolved) -> MessageRow:
    """Returns the row of a reply by what is known of its sending."""
    match event:
        case ReplySent():
            failed = row.status == "failed"  # as far as its sender knew
            sent = replace(row, message=event.message or row.message)
            return replace(sent, status="sent", failure="") if failed or is_further("sent", row.status) else sent
        case ReplyUncertain() if is_further("uncertain", row.status):
            return replace(row, status="uncertain", failure=event.reason)
        case ReplyResolved():
            status = "sent" if event.outcome == "sent" else "queued"
            return replace(row, status=status, failure="") if row.status in ("uncertain", "failed") else row
    return row


def is_further(status: str, than: str) -> bool:
    known = status in PROGRESS and than in PROGRESS
    return known and PROGRESS.index(status) > PROGRESS.index(than)


def texts(attachments: Iterable[Attachment]) -> tuple[str, ...]:
    """Returns each attachment as JSON text."""
    return tuple(json.encode(file).decode() for file in attachments)


def queued(event: ReplyQueued) -> MessageRow:
    """Returns the row of a reply that waits to be delivered."""
    return MessageRow(
        message_id=event.message_id,
        conversation_id=event.conversation_id,
        contact_id=event.contact_id,
        message="",  # the channel's id, given on delivery
        sender_name=event.author,
        text=event.text,
        attachments=texts(event.attachments),
        reply_to=event.reply_to or "",
        sent_at=event.meta.occurred_at,
        edited_at=None,
        direction="out",
        status="queued" if event.connection_id else "kept",
        subject=event.subject,
        sent_to=(event.reply_address,) if event.thread else (),
    )
