"""conversationReply: an answer in a chat, from the card."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.decisions.contacts import salesperson
from crm.decisions.guards import require, require_text
from crm.envelope import Event
from crm.events import ReplyQueued
from crm.scalars import Id
from crm.state import Conversation, Message


class ConversationReply(Command, frozen=True, gc=False, kw_only=True):
    """Answers in a conversation. The answer is queued: it stands in the conversation at once and waits to be sent."""

    conversation_id: Annotated[Id, About(description="Where.")]
    text: Annotated[str, About(max_length=4096, description="What it says.")]
    author: Annotated[str, About(max_length=200, description="Who answers, for people.")] = ""
    reply_to: Annotated[Id | None, About(description="The message that it answers.")] = None


@command(row="message")
def conversation_reply(command: ConversationReply, case: Case) -> Iterator[Event]:
    conversation = require(case.state, Conversation, command.conversation_id, "conversationId")
    if command.reply_to is not None and case.state.get(Message, command.reply_to) is None:
        raise Rejected("replyTo", Code.NOT_FOUND, f"There is no message {command.reply_to}. Nothing was changed.")
    yield ReplyQueued(
        meta=case.meta(conversation.contact_id),
        message_id=case.new_id("message"),
        conversation_id=command.conversation_id,
        contact_id=conversation.contact_id,
        text=require_text(command.text, "text"),
        author=command.author.strip(),
        reply_to=command.reply_to,
        owner=salesperson(case.state, conversation.contact_id),
    )
