"""One row per conversation: its contact, its channel and its last message."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import ConversationOpened, MessageEdited, MessageReceived, ReplyQueued
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


ConversationEvent = ConversationOpened | MessageReceived | MessageEdited | ReplyQueued


@projection(
    key="conversation_id", version=3, indexes=("touched_at", "opened_at", "contact_id, touched_at"), found_by=("title",)
)
def conversation(row: ConversationRow | None, event: ConversationEvent) -> ConversationRow | None:
    at = event.meta.occurred_at
    match event:
        case ConversationOpened():
            return row or ConversationRow(
                event.conversation_id, event.contact_id, event.channel, event.chat, event.title, 0, None, "", at, at
            )
        case MessageReceived() | ReplyQueued() if row:
            count = row.message_count + 1
            if at < row.touched_at:  # an older message that arrived late
                return replace(row, message_count=count)
            last, text = event.message_id, summary(event)
            return replace(row, last_message_id=last, last_text=text, touched_at=at, message_count=count)
        case MessageEdited() if row and row.last_message_id == event.message_id:
            return replace(row, last_text=summary(event))
    return row


def summary(event: MessageReceived | MessageEdited | ReplyQueued) -> str:
    """Returns the text of a message, or a list of its files when it has no text."""
    if event.text or isinstance(event, ReplyQueued):
        return event.text
    return ", ".join(f"[{' '.join(filter(None, (file.kind, file.name)))}]" for file in event.attachments or ())
