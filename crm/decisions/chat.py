"""Story 4: a message lands in one conversation of the customer's card, edits and shared contacts included."""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.decisions.case import Case, State
from crm.decisions.chat_people import account_of, from_customer, known_otherwise, learnt, name_of, own_number, own_phone
from crm.decisions.contacts import card, cards, cards_of, created, holder, identified, named, salesperson
from crm.decisions.deals import opened
from crm.decisions.fact_rule import FactRule
from crm.decisions.form import identifiers_of
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.parked_payments import retry_parked
from crm.decisions.reply import own_reply, recognised
from crm.envelope import Event, named_id
from crm.events import (
    ChatMoved,
    ConversationNoted,
    ConversationOpened,
    DeliveryNoted,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageStatusChanged,
)
from crm.facts import MessageReported
from crm.scalars import Id, Micros
from crm.state import (
    ChatOrigin,
    Contact,
    Conversation,
    Message,
    MessageProgress,
    SentAs,
    identifier_key,
    origin_key,
    sent_key,
)
from crm.state.changes.talk import message_digest
from crm.vocabulary import ChatKind, Direction


def message_reported(report: MessageReported, case: Case) -> Iterator[Event]:
    if report.former_chat:
        yield from moved(report, case)
        return
    report = at_home(report, case.state)
    conversation_id = conversation_id_of(report)
    conversation = case.state.get(Conversation, conversation_id)
    message_id, message = message_of(report, case.state, conversation_id)
    own = own_reply(case.state, conversation_id, report.message, report.reply) if may_be_ours(report) else None
    if conversation and own:
        message_id, message = own, message or Message()
        yield from recognised(case, own, conversation_id, conversation.contact_id, report.message)
    if report.kind == "deleted":
        yield deleted(report, case, conversation_id, conversation, message_id, message)
    elif message and conversation:
        yield edited(report, case, conversation_id, message_id, conversation.contact_id, message)
        yield from learnt(report, case, conversation.contact_id)
    elif report.kind == "service" and conversation:
        meta = case.meta(conversation.contact_id)
        yield ConversationNoted(meta, conversation_id, conversation.contact_id, report.text)
        yield from learnt(report, case, conversation.contact_id)
    elif report.kind == "service":
        yield noted(report, case, f"nobody here talks in this chat yet; kept raw: {report.text}")
    else:
        yield from said(report, case, conversation_id, conversation, message_id)


def said(
    report: MessageReported, case: Case, conversation_id: Id, conversation: Conversation | None, message_id: Id
) -> Iterator[Event]:
    theirs = report.person or report.direction == Direction.OUT  # the chat is a customer's
    account, details = account_of(report), identifiers_of(report)
    contact = (holder(case.state, account.key) or known_otherwise(report, case.state, account)) if theirs else None
    if contact:
        contact_id = contact.contact_id
        yield from named(case, contact, name_of(report), f"as they call themselves in {report.channel}")
        if conversation:  # a suspicion is reported once a conversation, and not with each message
            details = [one for one in details if not cards_of(case.state, one.key)]
        yield from identified(case, contact_id, [account, *details], shares=False)
    elif theirs:
        contact_id = case.new_id("contact")
        yield from created(case, contact_id, name_of(report), "chat", [account, *details])
    else:  # a channel, a group and a bot have no card
        contact_id = conversation.contact_id if conversation else case.new_id("nobody")
    if conversation is None:
        meta = case.meta(contact_id)
        title = conversation_title(report)
        where = report.channel, report.chat, title, report.account
        yield ConversationOpened(meta, conversation_id, contact_id, *where)
        conversation = Conversation(contact_id)
    yield received(report, case, conversation_id, message_id, conversation.contact_id)
    if report.direction == Direction.OUT and (reported := case.state.get(MessageProgress, message_id)):
        # how far it came was reported before it
        meta = case.meta(conversation.contact_id)
        own = conversation.contact_id
        yield MessageStatusChanged(meta, message_id, conversation_id, reported.status, own, reported.reason)
    if from_customer(report):
        if report.chat_kind == ChatKind.PRIVATE and not (contact and contact.deals):
            title = f"{report.channel.capitalize()}: {name_of(report) or account_of(report).value}"
            yield from lead(case, contact_id, contact, title, "chat")
        if report.shared_phone and own_number(report):
            yield from own_phone(case, contact_id, report.shared_phone)


def lead(case: Case, contact_id: Id, known: Contact | None, title: str, source: str) -> Iterator[Event]:
    """Who writes to us and never had a deal. Whom we wrote to is none. `known`: their card, unless it was made now."""
    stands = card(case.state, contact_id) if known else None
    if stands and any(one.deals for one in cards(case.state, stands)):
        return
    deal_id = case.new_id("deal")
    yield from opened(case, contact_id, deal_id, title, source, known=stands)
    yield from retry_parked(case, contact_id, deal_id)


def may_be_ours(report: MessageReported) -> bool:
    return report.direction == Direction.OUT or report.kind == "deleted"


def moved(report: MessageReported, case: Case) -> Iterator[Event]:
    """A group that becomes a supergroup says so twice, under its old id and under its new one: its talk goes on."""
    key = origin_key(report.meta.source, report.channel, report.chat)
    if case.state.get(ChatOrigin, key) is None:
        former = first_chat(report, case.state, report.former_chat)
        stream = named_id(report.meta.workspace, f"chat/{key}")
        yield ChatMoved(case.meta(stream), report.channel, report.chat, former)
    yield noted(report, case, f"this chat had the id {report.former_chat} before; its conversations go on")


def first_chat(report: MessageReported, state: State, chat: str) -> str:
    origin = state.get(ChatOrigin, origin_key(report.meta.source, report.channel, chat))
    return origin.chat if origin else chat


def at_home(report: MessageReported, state: State) -> MessageReported:
    """As from the first id that its chat had. Private chats keep theirs."""
    if report.chat_kind == ChatKind.PRIVATE:
        return report
    chat = first_chat(report, state, report.chat)
    return replace(report, chat=chat, sender=chat if report.sender == report.chat else report.sender)


def conversation_id_of(report: MessageReported) -> Id:
    """One a chat; in a group each sender has their own, because it belongs to their card."""
    name = f"chat/{report.meta.source}/{report.channel}/{report.chat}"
    if report.account:
        name += f"/{report.account}"
    if report.chat_kind != ChatKind.PRIVATE:
        name += f"/{report.sender}"
    return named_id(report.meta.workspace, name)


def message_of(report: MessageReported, state: State, conversation_id: Id) -> tuple[Id, Message | None]:
    """The message that a report is about, or the id that it gets. Another bot behind the same connection, and a group
    that moved, count from 1 again: what was sent at another moment, or says something else at first, is another
    message in spite of its number."""
    name, suffixes = report.message, [report.sent_at, ""]
    while True:
        message_id = named_id(conversation_id, name)
        message = state.get(Message, message_id)
        if message is None or same(report, message) or not suffixes:
            return message_id, message
        name += f"/{suffixes.pop(0) or message_digest(report.text, report.attachments)}"


def same(report: MessageReported, message: Message) -> bool:
    """What does not say when it was sent is known by its number alone."""
    if report.sent_at is None or not message.sent_at:
        return True
    if report.sent_at != message.sent_at:
        return False
    return report.edited_at is not None or message.digest in ("", message_digest(report.text, report.attachments))


def conversation_title(report: MessageReported) -> str:
    name = name_of(report) or f"{report.channel} {report.chat}"
    where = "" if report.chat_kind == ChatKind.PRIVATE or report.chat_title in ("", name) else f" ({report.chat_title})"
    return name + where


def received(
    report: MessageReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id
) -> MessageReceived:
    return MessageReceived(
        meta=case.meta(contact_id),
        message_id=message_id,
        conversation_id=conversation_id,
        contact_id=contact_id,
        message=report.message,
        sender_name=report.sender_name or report.username,
        text=report.text,
        attachments=report.attachments,
        reply_to=report.reply_to,
        edited_at=report.edited_at,
        direction=report.direction,
        sent_at=report.sent_at,
        revision=report.revision if report.edited_at is not None else 0,
        owner=salesperson(case.state, contact_id) if report.direction == Direction.OUT else "",
        account=report.account,
        reply_address=report.reply_address,
    )


def edited(
    report: MessageReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id, message: Message
) -> Event:
    """The newest version counts, in whatever order they come; of two edits in one second the later update."""
    at = report.edited_at
    if at is not None and (at, report.revision) > (message.edited_at, message.revision):
        return MessageEdited(
            meta=case.meta(contact_id),
            message_id=message_id,
            conversation_id=conversation_id,
            contact_id=contact_id,
            text=report.text,
            edited_at=at,
            attachments=report.attachments,
            revision=report.revision,
        )
    why = "a newer version of this message is known" if message.edited_at else "this message is known"
    return noted(report, case, why)


def noted(report: MessageReported, case: Case, why: str) -> DeliveryNoted:
    return DeliveryNoted(case.meta(report.meta.id), report.meta.actor, "message", why)


def deleted(
    report: MessageReported,
    case: Case,
    conversation_id: Id,
    conversation: Conversation | None,
    message_id: Id,
    message: Message | None,
) -> Event:
    if conversation and message:
        return MessageDeleted(case.meta(conversation.contact_id), message_id, conversation_id, conversation.contact_id)
    return noted(report, case, f"message {report.message} was taken back, and it is not known here")


def hints(report: MessageReported) -> Wanted:
    if report.chat_kind != ChatKind.PRIVATE:
        yield ChatOrigin, origin_key(report.meta.source, report.channel, report.chat)
    conversation_id = conversation_id_of(report)
    yield Conversation, conversation_id
    yield Message, named_id(conversation_id, report.message)
    if report.direction == Direction.OUT:
        yield MessageProgress, named_id(conversation_id, report.message)
    if may_be_ours(report):
        yield SentAs, sent_key(conversation_id, report.message)
    for identifier in (account_of(report), *identifiers_of(report)):
        yield from of_identifier(identifier.key)
    if own_number(report):
        yield from of_identifier(identifier_key("phone", own_number(report)))


def identifiers_in(report: MessageReported) -> Iterator[tuple[str, str]]:
    yield from ((one.kind, one.value) for one in (account_of(report), *identifiers_of(report)))
    if report.shared_phone:
        yield "phone", report.shared_phone.e164


def as_edit(report: MessageReported) -> MessageReported:
    at = report.edited_at if report.edited_at is not None else report.meta.occurred_at
    return replace(report, edited_at=Micros(at + 1))


RULE = FactRule(
    MessageReported,
    message_reported,
    family="chats",
    hints=hints,
    identifiers=identifiers_in,
    sender=lambda own: f"{own['channel']}/{own['chat']}",
    words={"direction": Direction, "chat_kind": ChatKind},
    row=lambda report: ("conversation", conversation_id_of(report)),
    as_newer=as_edit,
    correctable=("text", "attachments"),  # an edit carries nothing else
    one_per_delivery=True,
)
