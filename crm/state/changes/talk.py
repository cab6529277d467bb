"""How calls, chats and quarantined deliveries change the state."""

from collections.abc import Iterable
from hashlib import sha1

from msgspec.structs import replace

from crm.events import (
    CallOpened,
    CallUpdated,
    ChatMoved,
    ConversationOpened,
    FactQuarantined,
    MessageEdited,
    MessageReceived,
    MessageStatusChanged,
    QuarantineAttempted,
    QuarantineSettled,
    ReplyQueued,
    ReplyResolved,
    ReplySent,
    ReplyUncertain,
)
from crm.scalars import Id, Micros
from crm.shared import Attachment
from crm.state.changes.removals import use
from crm.state.entities import (
    Call,
    ChatOrigin,
    Contact,
    Conversation,
    MailThread,
    Message,
    MessageProgress,
    Quarantined,
)
from crm.state.entity import Changes, State
from crm.state.keys import mail_key, origin_key, sent_key
from crm.state.replies import Reply, SentAs
from crm.vocabulary import CallPhase, Direction, MessageStatus


def call_opened(state: State, event: CallOpened) -> None:
    phone = event.phone
    state.put(event.call_id, Call(event.contact_id, not phone.e164, phone.e164, phone.text, direction=event.direction))
    use(state, event.contact_id)


def call_updated(state: State, event: CallUpdated) -> None:
    """Keeps what any of its reports said, in whatever order they came; the first number stays."""
    call = state.get(Call, event.call_id)
    if call is None:
        return
    phone, text = (event.phone.e164, event.phone.text) if event.phone else ("", "")
    named = not call.phone and bool(phone or (text and not call.text))
    incoming = Direction.IN in (call.direction, event.direction)  # a call in may be passed on by a leg out
    direction = Direction.IN.value if incoming else call.direction or event.direction
    talked = call.talked or event.phase == CallPhase.ANSWERED or bool(event.talk_s)
    detailed = call.detailed or event.phase == CallPhase.COMPLETED
    if named or direction != call.direction or talked != call.talked or detailed != call.detailed:
        changed = replace(call, direction=direction, talked=talked, detailed=detailed)
        if named:
            changed = replace(changed, anonymous=call.anonymous and not phone, phone=phone, text=text)
        state.put(event.call_id, changed)


def conversation_opened(state: State, event: ConversationOpened) -> None:
    state.put(event.conversation_id, Conversation(event.contact_id, chat=event.chat, account=event.account))
    use(state, event.contact_id)


def message_received(state: State, event: MessageReceived) -> None:
    """An older event does not say when its message was sent: that of a first version is the event's own moment."""
    said = "" if event.sent_at is None or event.edited_at else message_digest(event.text, event.attachments)
    edited = event.edited_at or Micros(0)
    sent = event.sent_at or (Micros(0) if edited else event.meta.occurred_at)
    state.put(event.message_id, Message(edited, event.revision, sent, said, event.message))
    for mail in event.thread:
        state.put(mail_key(mail), MailThread(event.conversation_id))
    conversation = state.get(Conversation, event.conversation_id)
    if conversation and event.direction == Direction.IN and sent >= conversation.asked_at:
        state.put(event.conversation_id, answerable(conversation, event, sent))
        remember_where(state, conversation.contact_id, event.conversation_id, sent)


def remember_where(state: State, contact_id: Id, conversation_id: Id, sent: Micros) -> None:
    """The contact is written to where they wrote last. Nothing is stored while they stay there."""
    contact = state.get(Contact, contact_id)
    if contact is None or contact.wrote_in == conversation_id:  # a mail of whom nobody can answer has no card
        return
    other = state.get(Conversation, contact.wrote_in) if contact.wrote_in else None
    if other is None or sent >= other.asked_at:
        state.put(contact_id, replace(contact, wrote_in=conversation_id))


def answerable(conversation: Conversation, event: MessageReceived, sent: Micros) -> Conversation:
    """Who wrote last is answered, where they wrote."""
    is_mail = bool(event.subject or event.thread)
    return replace(
        conversation,
        connection_id=event.meta.source,
        connector=event.meta.actor,
        account=event.account or conversation.account,
        reply_address=event.reply_address or conversation.reply_address,
        asked_at=sent,
        subject=event.subject or conversation.subject,
        thread=tuple(dict.fromkeys((*conversation.thread[:1], event.message))) if is_mail else (),
    )


def message_digest(text: str, attachments: Iterable[Attachment]) -> str:
    """Of what it says. A file's `ref` is another for every bot, so it takes no part."""
    files = [f"{a.kind}/{a.name}/{a.media_type}/{a.size}" for a in attachments]
    return sha1("\0".join((text, *files)).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:16]


def message_edited(state: State, event: MessageEdited) -> None:
    before = state.get(Message, event.message_id) or Message()
    state.put(event.message_id, replace(before, edited_at=event.edited_at, revision=event.revision))


def further(status: str, than: str) -> bool:
    """Whether a status counts more than another one; a word that is none counts least."""
    order = [*MessageStatus]
    return status in order and (
        than not in order or order.index(MessageStatus(status)) > order.index(MessageStatus(than))
    )


def message_status_changed(state: State, event: MessageStatusChanged) -> None:
    before = state.get(MessageProgress, event.message_id)
    if before is None or further(event.status, before.status):
        state.put(event.message_id, MessageProgress(event.status, event.reason))


def reply_queued(state: State, event: ReplyQueued) -> None:
    state.put(event.message_id, Message())
    state.put(event.message_id, Reply(event.conversation_id, is_mail=bool(event.thread)))
    conversation = state.get(Conversation, event.conversation_id) if event.stage_rule_id else None
    if conversation and event.stage_rule_id:
        ruled = {**conversation.ruled_at, event.stage_rule_id: event.meta.occurred_at}
        state.put(event.conversation_id, replace(conversation, ruled_at=ruled))


def reply_sent(state: State, event: ReplySent) -> None:
    before = state.get(Reply, event.message_id) or Reply(event.conversation_id)
    state.put(event.message_id, replace(before, status="sent"))
    if event.message:
        state.put(sent_key(event.conversation_id, event.message), SentAs(event.message_id))
        if before.is_mail:
            state.put(mail_key(event.message), MailThread(event.conversation_id))


def reply_uncertain(state: State, event: ReplyUncertain) -> None:
    before = state.get(Reply, event.message_id) or Reply(event.conversation_id)
    state.put(event.message_id, replace(before, status="uncertain"))


def reply_resolved(state: State, event: ReplyResolved) -> None:
    before = state.get(Reply, event.message_id) or Reply(event.conversation_id)
    sent = event.outcome == "sent"
    state.put(event.message_id, replace(before, status="sent" if sent else "", attempt=event.attempt))
    if not sent:
        state.drop(MessageProgress, event.message_id)


def chat_moved(state: State, event: ChatMoved) -> None:
    state.put(origin_key(event.meta.source, event.channel, event.chat), ChatOrigin(event.former_chat))


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
    CallUpdated: call_updated,
    ConversationOpened: conversation_opened,
    MessageReceived: message_received,
    MessageEdited: message_edited,
    MessageStatusChanged: message_status_changed,
    ReplyQueued: reply_queued,
    ReplySent: reply_sent,
    ReplyUncertain: reply_uncertain,
    ReplyResolved: reply_resolved,
    ChatMoved: chat_moved,
    FactQuarantined: quarantined,
    QuarantineAttempted: quarantine_attempted,
    QuarantineSettled: quarantine_settled,
}
