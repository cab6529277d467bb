"""An answer that is queued in a conversation: by a person, or by a stage rule."""

from typing import Any

from crm.decisions.case import Case, State
from crm.decisions.contacts import salesperson
from crm.events import ReplyQueued
from crm.scalars import Id
from crm.send_limits import Limits
from crm.shared import Meta
from crm.state import Conversation


def queued(
    meta: Meta, state: State, message_id: Id, conversation_id: Id, conversation: Conversation, text: str, **said: Any
) -> ReplyQueued:
    """Returns the event. `said`: its other fields, over those that follow from the conversation."""
    subject = conversation.subject and f"Re: {conversation.subject.removeprefix('Re: ')}"
    follows: dict[str, Any] = {
        "owner": salesperson(state, conversation.contact_id),
        "connection_id": conversation.connection_id,
        "connector": conversation.connector,
        "chat": conversation.chat,
        "account": conversation.account,
        "reply_address": conversation.reply_address,
        "subject": subject if conversation.thread else "",
        "thread": conversation.thread,
        "asked_at": conversation.asked_at or None,
    }
    return ReplyQueued(meta, message_id, conversation_id, conversation.contact_id, text, **{**follows, **said})


def channel_of(case: Case, conversation: Conversation) -> tuple[Limits, str] | None:
    """Returns what the channel takes and its name; None when nothing can be answered from here."""
    entry = case.connectors.get(conversation.connector)
    return (entry.send, entry.name) if entry and entry.send and conversation.connection_id else None


def why_no_channel(conversation: Conversation) -> str:
    """Returns why a conversation cannot be answered from here, as a sentence."""
    via = f"What comes by {conversation.connector}" if conversation.connector else "Who has not written here yet"
    return f"{via} cannot be answered from here."
