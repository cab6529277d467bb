"""How far our messages came: sent, delivered, read or failed, in any order and also before the message itself."""

from collections.abc import Iterator

from crm.decisions.case import Case, State
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted
from crm.decisions.reply import own_reply, recognised
from crm.envelope import Event, named_id
from crm.events import ConversationReached, DeliveryNoted, MessageStatusChanged
from crm.facts import MessageStatusReported
from crm.scalars import Id
from crm.state import Conversation, MessageProgress, Reply, SentAs, sent_key
from crm.state.changes.talk import further
from crm.vocabulary import MessageStatus

MAIL = "mail"  # as crm.decisions.mail calls it


def message_status_reported(report: MessageStatusReported, case: Case) -> Iterator[Event]:
    conversation_id = conversation_of(report, case.state)
    conversation = case.state.get(Conversation, conversation_id)
    contact_id = conversation.contact_id if conversation else None
    if not report.message:
        if contact_id and report.up_to is not None:
            meta = case.meta(contact_id)
            yield ConversationReached(meta, conversation_id, contact_id, report.status, report.up_to)
        else:
            yield noted(report, case, "nobody here talks in this chat yet")
        return
    if report.channel == MAIL and conversation is None:
        yield noted(report, case, "no reply of ours is known by this id")
        return
    message_id = named_id(conversation_id, report.message)
    if contact_id and (own := own_reply(case.state, conversation_id, report.message, report.reply)):
        message_id = own
        yield from recognised(case, own, conversation_id, contact_id, report.message)
    before = case.state.get(MessageProgress, message_id)
    if before and not further(report.status, before.status):
        yield noted(report, case, f"message {report.message} is {before.status} already")
        return
    meta = case.meta(contact_id or conversation_id)
    yield MessageStatusChanged(meta, message_id, conversation_id, report.status, contact_id, report.reason)


def conversation_of(report: MessageStatusReported, state: State) -> Id:
    """Of a mail, the thread of the reply: who sends mails for us knows no chats."""
    own = state.get(Reply, report.reply) if report.channel == MAIL and report.reply else None
    return own.conversation_id if own else private_conversation(report)


def private_conversation(report: MessageStatusReported) -> Id:
    """The id that crm.decisions.chat gives to the same chat."""
    name = f"chat/{report.meta.source}/{report.channel}/{report.chat}"
    return named_id(report.meta.workspace, f"{name}/{report.account}" if report.account else name)


def noted(report: MessageStatusReported, case: Case, why: str) -> DeliveryNoted:
    return DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "message status", f"{report.status}: {why}")


def check(report: MessageStatusReported) -> tuple[str, str] | None:
    if bool(report.message) == (report.up_to is not None):
        return "message", "Give either 'message' or 'up_to'."
    return None


def hints(report: MessageStatusReported) -> Wanted:
    conversation_id = private_conversation(report)
    yield Conversation, conversation_id
    if report.message:
        yield MessageProgress, named_id(conversation_id, report.message)
    if report.reply:
        yield Reply, report.reply
        yield MessageProgress, report.reply
    if report.message:
        yield SentAs, sent_key(conversation_id, report.message)


RULE = FactRule(
    MessageStatusReported,
    message_status_reported,
    family="chats",
    hints=hints,
    sender=lambda own: f"{own['channel']}/{own['chat']}",
    words={"status": MessageStatus},
    check=check,
)
