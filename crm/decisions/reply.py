"""What became of an answer of ours: a channel took it over, refused it, or nobody knows. It stays one message."""

import re
from collections.abc import Iterator

from crm.decisions.case import Case, State
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted
from crm.envelope import Event, named_id
from crm.events import DeliveryNoted, MessageDuplicated, MessageStatusChanged, ReplySent, ReplyUncertain
from crm.facts import ReplyAttempted
from crm.scalars import Id
from crm.state import Conversation, Message, MessageProgress, Reply, SentAs, sent_key
from crm.vocabulary import MessageStatus

OWN_MAIL = re.compile(r"<?([0-9a-f-]{36})\.reply@")


def reply_attempted(report: ReplyAttempted, case: Case) -> Iterator[Event]:
    reply, conversation = case.state.get(Reply, report.message_id), case.state.get(Conversation, report.conversation_id)
    if reply is None or conversation is None or reply.conversation_id != report.conversation_id:
        yield noted(report, case, "there is no such reply here")
    elif reply.status == "sent":
        yield noted(report, case, "it is known to be sent")
    elif report.outcome == "accepted":
        contact_id = conversation.contact_id
        yield from sent(case, report.message_id, report.conversation_id, contact_id, report.message, report.attempt)
    elif report.attempt < reply.attempt:
        yield noted(report, case, "somebody has had it sent again since")
    elif report.outcome == "failed":
        failed = MessageStatus.FAILED.value
        where, contact_id = report.conversation_id, conversation.contact_id
        meta = case.meta(contact_id)
        yield MessageStatusChanged(meta, report.message_id, where, failed, contact_id, report.reason)
    else:
        who = report.message_id, report.conversation_id, conversation.contact_id
        yield ReplyUncertain(case.meta(conversation.contact_id), *who, report.reason, report.attempt)


def sent(
    case: Case, message_id: Id, conversation_id: Id, contact_id: Id, message: str, attempt: int
) -> Iterator[Event]:
    """The channel may have reported the message before it answered us: that is the same one."""
    reported = named_id(conversation_id, message) if message else None
    echo_id = reported if reported and case.state.get(Message, reported) else None
    who = message_id, conversation_id, contact_id
    yield ReplySent(case.meta(contact_id), *who, message, attempt, echo_id)
    if echo_id:
        yield MessageDuplicated(case.meta(contact_id), echo_id, conversation_id, contact_id, message_id)
    if reported and (came := case.state.get(MessageProgress, reported)):
        meta = case.meta(contact_id)
        yield MessageStatusChanged(meta, message_id, conversation_id, came.status, contact_id, came.reason)


def own_reply(state: State, conversation_id: Id, message: str, reply: str = "") -> Id | None:
    """The reply of ours that a channel tells of: by its id there, or by ours, which some channels hand back."""
    if known := state.get(SentAs, sent_key(conversation_id, message)):
        return known.message_id
    own = state.get(Reply, reply) if reply else None
    return Id(reply) if own and own.conversation_id == conversation_id else None


def reply_in(mail: str) -> str:
    """Returns the id of our reply that a Message-ID names; empty for the mails of others."""
    found = OWN_MAIL.match(mail)
    return found[1] if found else ""


def recognised(case: Case, message_id: Id, conversation_id: Id, contact_id: Id, message: str) -> Iterator[Event]:
    """That a channel tells of a reply shows that it was sent, whatever its sender knew."""
    reply = case.state.get(Reply, message_id)
    if reply and case.state.get(SentAs, sent_key(conversation_id, message)) is None:
        yield ReplySent(case.meta(contact_id), message_id, conversation_id, contact_id, message, reply.attempt)


def noted(report: ReplyAttempted, case: Case, why: str) -> DeliveryNoted:
    return DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "reply", f"{report.outcome}: {why}")


def hints(report: ReplyAttempted) -> Wanted:
    yield Reply, report.message_id
    yield Conversation, report.conversation_id
    if report.message:
        yield Message, named_id(report.conversation_id, report.message)
        yield MessageProgress, named_id(report.conversation_id, report.message)


RULE = FactRule(ReplyAttempted, reply_attempted, family="chats", hints=hints)
