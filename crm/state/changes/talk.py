"""How calls, chats and quarantined deliveries change the state."""

from crm.events import (
    CallOpened,
    ConversationOpened,
    FactQuarantined,
    MessageEdited,
    MessageReceived,
    QuarantineAttempted,
    QuarantineSettled,
    ReplyQueued,
)
from crm.state.entities import Call, Conversation, Message, Quarantined
from crm.state.entity import Changes, State


def call_opened(state: State, event: CallOpened) -> None:
    state.put(event.call_id, Call(event.contact_id, anonymous=not event.phone.e164))


def conversation_opened(state: State, event: ConversationOpened) -> None:
    state.put(event.conversation_id, Conversation(event.contact_id))


def message_changed(state: State, event: MessageReceived | MessageEdited) -> None:
    state.put(event.message_id, Message(event.edited_at) if event.edited_at is not None else Message())


def reply_queued(state: State, event: ReplyQueued) -> None:
    state.put(event.message_id, Message())


def quarantined(state: State, event: FactQuarantined) -> None:
    state.put(event.quarantine_id, Quarantined())


def quarantine_attempted(state: State, event: QuarantineAttempted) -> None:
    before = state.get(Quarantined, event.quarantine_id)
    if before is None or not before.status:
        state.put(event.quarantine_id, Quarantined(event.attempts))


def quarantine_settled(state: State, event: QuarantineSettled) -> None:
    state.put(event.quarantine_id, Quarantined(event.attempts, event.status))


CHANGES: Changes = {
    CallOpened: call_opened,
    ConversationOpened: conversation_opened,
    MessageReceived: message_changed,
    MessageEdited: message_changed,
    ReplyQueued: reply_queued,
    FactQuarantined: quarantined,
    QuarantineAttempted: quarantine_attempted,
    QuarantineSettled: quarantine_settled,
}
