"""Story 4: a message lands in one conversation of the sender's card, edits and shared contacts included."""

from collections.abc import Iterator

from crm.decisions.awaited import awaited
from crm.decisions.case import Case
from crm.decisions.contacts import Way, card, created, holder, identified, named
from crm.decisions.deals import opened
from crm.decisions.merging import merged
from crm.envelope import Event, named_id
from crm.events import ConversationOpened, DeliveryNoted, MessageEdited, MessageReceived
from crm.facts import MessageReported
from crm.scalars import Id
from crm.shared import Phone
from crm.state import Conversation, Message


def message_reported(report: MessageReported, case: Case) -> Iterator[Event]:
    conversation_id = conversation_id_of(report)
    message_id = named_id(conversation_id, report.message)
    conversation = case.state.get(Conversation, conversation_id)
    message = case.state.get(Message, message_id)
    if message and conversation:
        yield edited(report, case, conversation_id, message_id, conversation.contact_id, message)
        return
    way = account_of(report)
    contact = holder(case.state, way.key)
    contact_id = contact.contact_id if contact else case.new_id("contact")
    if contact is None:
        yield from created(case, contact_id, name_of(report), "chat")
        yield from identified(case, contact_id, [way])
    else:
        yield from named(case, contact_id, name_of(report), f"as they call themselves in {report.channel}")
    if conversation is None:
        title = name_of(report) or f"{report.channel} {report.chat}"
        meta = case.meta(contact_id)
        yield ConversationOpened(meta, conversation_id, contact_id, report.channel, report.chat, title)
        conversation = Conversation(contact_id)
    yield received(report, case, conversation_id, message_id, conversation.contact_id)
    if contact is None and report.chat_kind == "private":
        deal_id = case.new_id("deal")
        title = f"{report.channel.capitalize()}: {name_of(report) or way.value}"
        yield from opened(case, contact_id, deal_id, title, "chat")
        yield from awaited(case, contact_id, deal_id)
    if report.shared_phone and report.shared_is_own and report.shared_phone.e164:
        yield from own_phone(case, contact_id, report.shared_phone)


def conversation_id_of(report: MessageReported) -> Id:
    """One a chat; in a group each sender has their own, because it belongs to their card."""
    name = f"chat/{report.meta.source}/{report.channel}/{report.chat}"
    if report.chat_kind != "private":
        name += f"/{report.sender}"
    return named_id(report.meta.workspace, name)


def account_of(report: MessageReported) -> Way:
    """A channel's posts have no sender but the channel."""
    return Way(report.channel, report.sender or report.chat, report.username)


def name_of(report: MessageReported) -> str:
    return report.sender_name or report.username


def received(
    report: MessageReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id
) -> MessageReceived:
    return MessageReceived(
        meta=case.meta(contact_id),
        message_id=message_id,
        conversation_id=conversation_id,
        contact_id=contact_id,
        message=report.message,
        sender_name=name_of(report),
        text=report.text,
        attachments=report.attachments,
        reply_to=report.reply_to,
        edited_at=report.edited_at,
    )


def edited(
    report: MessageReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id, message: Message
) -> Event:
    """The newest version counts, in whatever order they come."""
    if report.edited_at is not None and report.edited_at > message.edited_at:
        meta = case.meta(contact_id)
        return MessageEdited(meta, message_id, conversation_id, contact_id, report.text, report.edited_at)
    why = "a newer version of this message is known" if message.edited_at else "this message is known"
    return DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "message", why)


def own_phone(case: Case, contact_id: Id, phone: Phone) -> Iterator[Event]:
    """The channel vouches that the phone is the sender's own: whoever has it is the same person."""
    way = Way("phone", phone.e164, phone.text)
    known = holder(case.state, way.key)
    contact = card(case.state, contact_id)
    if known is None:
        yield from identified(case, contact_id, [way])
        yield from awaited(case, contact_id)
    elif card(case.state, known.contact_id) != contact:
        why = f"the sender shared {phone.e164} as their own"
        yield from merged(case, contact.contact_id, known.contact_id, why)
        yield from awaited(case, known.contact_id)
