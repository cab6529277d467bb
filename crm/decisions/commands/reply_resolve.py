"""replyResolve: somebody looked what became of an answer."""

from collections.abc import Iterator
from enum import StrEnum, auto
from typing import Annotated

from crm.commands import About, Code, Command, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require
from crm.envelope import Event
from crm.events import ReplyResolved
from crm.scalars import Id
from crm.state import Conversation, MessageProgress, Reply, known
from crm.vocabulary import MessageStatus


class ReplyOutcome(StrEnum):
    """What is known of an answer by looking."""

    sent = auto()
    again = auto()


class ReplyResolve(Command, frozen=True, gc=False, kw_only=True):
    """Says what becomes of an answer that is uncertain, or that failed: it was sent, as somebody saw in the channel's
    own app, or it is sent once more."""

    message_id: Annotated[Id, About(description="The answer.")]
    outcome: Annotated[ReplyOutcome, About(description="`sent`: it stands there. `again`: send it once more.")]
    author: Annotated[Short, About(description="Who looked, for people.")] = ""


@command(row="message")
def reply_resolve(command: ReplyResolve, case: Case) -> Iterator[Event]:
    reply = require(case.state, Reply, command.message_id, "messageId", "answer of ours")
    progress = case.state.get(MessageProgress, command.message_id)
    failed = progress is not None and progress.status == MessageStatus.FAILED
    if reply.status != "uncertain" and not failed:
        stands = "is sent already" if reply.status == "sent" else "waits to be sent"
        raise Rejected("messageId", Code.UNCHANGED, f"This answer {stands}. Nothing was changed.")
    contact_id = known(case.state, Conversation, reply.conversation_id).contact_id
    who = command.message_id, reply.conversation_id, contact_id
    attempt = reply.attempt + (command.outcome == ReplyOutcome.again)
    yield ReplyResolved(case.meta(contact_id), *who, command.outcome.value, command.author.strip(), attempt)
