"""A mail lands in the conversation of its thread, on the card of whom it is with."""

from collections.abc import Iterator

from crm.decisions.case import Case, State
from crm.decisions.chat import lead
from crm.decisions.contacts import Identifier, card, cards, created, holder, identified, named, salesperson
from crm.decisions.fact_rule import FactRule
from crm.decisions.identity import found
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.reply import own_reply, recognised, reply_in
from crm.envelope import Event, named_id
from crm.events import ConversationOpened, DeliveryNoted, MessageEdited, MessageReceived, MessageStatusChanged
from crm.facts import MailReported
from crm.scalars import Id
from crm.state import Contact, Conversation, MailThread, Message, MessageProgress, Reply, known, mail_key
from crm.state.changes.talk import further, message_digest
from crm.vocabulary import Direction, MessageStatus

CHANNEL = "mail"


def mail_reported(report: MailReported, case: Case) -> Iterator[Event]:
    conversation_id, conversation = thread_of(report, case.state)
    message_id = message_id_of(report, conversation_id)
    message = case.state.get(Message, message_id)
    if conversation and (own := own_reply(case.state, conversation_id, report.mail, reply_in(report.mail))):
        yield from recognised(case, own, conversation_id, conversation.contact_id, report.mail)
        yield noted(report, case, "this is a reply of ours that is known")
    elif message and conversation and has_come(report, message):
        yield completed(report, case, conversation_id, message_id, conversation.contact_id)
    elif message:
        yield noted(report, case, "this mail is known")
    elif conversation:
        yield received(report, case, conversation_id, message_id, conversation.contact_id)
        yield from answered(report, case, conversation.contact_id)
        yield from came_back(report, case)
    elif report.automatic:
        yield noted(report, case, f"{report.automatic}, of no thread that is known here; kept raw: {report.subject}")
    else:
        yield from begun(report, case, conversation_id, message_id)


def begun(report: MailReported, case: Case, conversation_id: Id, message_id: Id) -> Iterator[Event]:
    """The first mail of a thread. Whom nobody can answer has no card; their mail is seen all the same."""
    contact = writer(report, case.state)
    if contact:
        contact_id = contact.contact_id
        yield from named(case, contact, report.customer_name, "as they sign their mails")
        yield from identified(case, contact_id, [address_of(report)], shares=False)
    elif report.customer:
        contact_id = case.new_id("contact")
        yield from created(case, contact_id, report.customer_name, CHANNEL, [address_of(report)])
    else:
        contact_id = case.new_id("nobody")
    title = report.subject or report.customer_name or report.customer or report.sender or root_of(report)
    root = root_of(report)
    yield ConversationOpened(case.meta(contact_id), conversation_id, contact_id, CHANNEL, root, title)
    yield received(report, case, conversation_id, message_id, contact_id)
    if report.direction == Direction.IN and report.customer and not (contact and contact.deals):
        yield from lead(case, contact_id, contact, title_of(report), CHANNEL)


def answered(report: MailReported, case: Case, contact_id: Id) -> Iterator[Event]:
    """Who writes in a thread that we began becomes a lead. Somebody else who joins it has no card by that."""
    contact = case.state.get(Contact, contact_id)
    if contact is None or report.automatic or report.direction != Direction.IN:
        return
    if contact.identifiers and address_of(report).key in family_of(case.state, contact):
        yield from named(case, contact, report.customer_name, "as they sign their mails")
    if report.customer and not contact.deals:
        yield from lead(case, contact_id, contact, title_of(report), CHANNEL)


def came_back(report: MailReported, case: Case) -> Iterator[MessageStatusChanged]:
    """A mail server gave up a reply of ours."""
    id = Id(reply_in(report.returned))
    if not id or (reply := case.state.get(Reply, id)) is None:
        return
    before, failed = case.state.get(MessageProgress, id), MessageStatus.FAILED.value
    if before is None or further(failed, before.status):
        contact_id = known(case.state, Conversation, reply.conversation_id).contact_id
        meta = case.meta(contact_id)
        yield MessageStatusChanged(meta, id, reply.conversation_id, failed, contact_id, report.reason)


def writer(report: MailReported, state: State) -> Contact | None:
    """Whose address it is. A role's mailbox, and one that several cards have, decides only together with a name."""
    identifier = address_of(report)
    if not identifier.value:
        return None
    own = None if identifier.of_a_role else holder(state, identifier.key)
    return own or found(state, [identifier], report.customer_name)


def address_of(report: MailReported) -> Identifier:
    return Identifier("email", report.customer)


def family_of(state: State, contact: Contact) -> set[str]:
    """The identifiers of a card, of those that were merged into it, and of the one that it was merged into."""
    return {key for one in cards(state, card(state, contact.contact_id)) for key in one.identifiers}


def title_of(report: MailReported) -> str:
    return f"Mail: {report.subject or report.customer_name or report.customer}"


def thread_of(report: MailReported, state: State) -> tuple[Id, Conversation | None]:
    """The conversation that one of its thread's mails is in; else the one that its first mail names."""
    for mail in (report.mail, *reversed(report.references)):
        thread = state.get(MailThread, mail_key(mail))
        conversation = state.get(Conversation, thread.conversation_id) if thread else None
        if thread and conversation and joins(report, state, conversation):
            return thread.conversation_id, conversation
    conversation_id = own_thread(report)
    if not report.by_mailer and state.get(Conversation, conversation_id):
        conversation_id = own_thread(report, apart=True)  # it is there, and this one may not join it
    return conversation_id, state.get(Conversation, conversation_id)


def joins(report: MailReported, state: State, conversation: Conversation) -> bool:
    """A mailer gives all its mails one thread, or one Message-ID: only its customer's own is joined. So is a talk with
    nobody only by nobody."""
    contact = state.get(Contact, conversation.contact_id)
    if contact is None:
        return not report.customer or bool(report.automatic)
    return not report.by_mailer or address_of(report).key in family_of(state, contact)


def own_thread(report: MailReported, apart: bool = False) -> Id:
    name = f"mail/{root_of(report)}"
    if report.by_mailer or apart:
        name += f"/{report.customer}"
    return named_id(report.meta.workspace, name)


def root_of(report: MailReported) -> str:
    return report.references[0] if report.references else report.mail


def message_id_of(report: MailReported, conversation_id: Id) -> Id:
    """The same mail comes through several mailboxes. What was sent at another moment is another one in spite of its
    Message-ID."""
    return named_id(conversation_id, f"{report.mail}/{report.sent_at or ''}")


def received(report: MailReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id) -> MessageReceived:
    mails = dict.fromkeys((report.mail, *report.references))
    ours = report.direction == Direction.OUT
    return MessageReceived(
        meta=case.meta(contact_id),
        message_id=message_id,
        conversation_id=conversation_id,
        contact_id=contact_id,
        message=report.mail,
        sender_name=report.sender if ours or not report.customer else report.customer_name or report.customer,
        text=report.text,
        attachments=report.attachments,
        reply_to=report.references[-1] if report.references else "",
        direction=report.direction,
        sent_at=report.sent_at,
        subject=report.subject,
        html=report.html,
        sent_to=report.sent_to,
        cc=report.cc,
        thread=tuple(mail for mail in mails if case.state.get(MailThread, mail_key(mail)) is None),
        owner=salesperson(case.state, contact_id) if ours else "",
        reply_address="" if ours else report.customer,
    )


def has_come(report: MailReported, message: Message) -> bool:
    """Whether this is the text of a mail whose notice came without it."""
    without = {message_digest("", ()), message_digest("", report.attachments)}
    return bool(report.text) and not message.edited_at and message.digest in without


def completed(report: MailReported, case: Case, conversation_id: Id, message_id: Id, contact_id: Id) -> MessageEdited:
    return MessageEdited(
        meta=case.meta(contact_id),
        message_id=message_id,
        conversation_id=conversation_id,
        contact_id=contact_id,
        text=report.text,
        edited_at=report.meta.occurred_at,
        attachments=report.attachments,
        html=report.html,
    )


def noted(report: MailReported, case: Case, why: str) -> DeliveryNoted:
    return DeliveryNoted(case.meta(report.meta.id), report.meta.actor, CHANNEL, why)


def hints(report: MailReported) -> Wanted:
    for mail in (report.mail, *report.references):
        yield MailThread, mail_key(mail)
    for conversation_id in {own_thread(report), own_thread(report, apart=True)}:
        yield Conversation, conversation_id
        yield Message, message_id_of(report, conversation_id)
    if own := reply_in(report.returned):
        yield Reply, own
        yield MessageProgress, own
    if report.customer:
        yield from of_identifier(address_of(report).key)


RULE = FactRule(
    MailReported,
    mail_reported,
    family="chats",
    hints=hints,
    identifiers=lambda report: [("email", report.customer)] if report.customer else [],
    sender=lambda own: own["references"][0] if own["references"] else own["mail"],
    words={"direction": Direction},
    row=lambda report: ("conversation", own_thread(report)),
    one_per_delivery=True,
)
