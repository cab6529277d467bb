"""Whose chat it is: the channel's account, a telephone that it vouches for, and what it keeps of the customer."""

from collections.abc import Iterator

from crm.decisions.case import Case, State
from crm.decisions.contacts import Identifier, card, holder, identified
from crm.decisions.form import identifiers_of
from crm.decisions.identity import found
from crm.decisions.merging import merged
from crm.decisions.parked_payments import retry_parked
from crm.decisions.reported_people import named_otherwise
from crm.envelope import Event
from crm.facts import MessageReported
from crm.scalars import Id
from crm.shared import Phone
from crm.state import Contact, identifier_key
from crm.vocabulary import Direction


def account_of(report: MessageReported) -> Identifier:
    """Whose card it is: the customer's, also when we write. A channel's posts have no sender but the channel."""
    if report.direction == Direction.OUT:
        return Identifier(report.channel, report.chat)
    return Identifier(report.channel, report.sender or report.chat, report.username)


def from_customer(report: MessageReported) -> bool:
    return report.direction == Direction.IN and report.person


def name_of(report: MessageReported) -> str:
    """Of whom the card is."""
    if from_customer(report):
        return report.sender_name or report.username
    return report.chat_title or ("" if report.direction == Direction.OUT else report.sender_name)


def known_otherwise(report: MessageReported, state: State, account: Identifier) -> Contact | None:
    """The card of a telephone that the channel vouches for, else of what it keeps of them, as a form's sender is found:
    but not of somebody whom the channel knows by another account."""
    if from_customer(report) and own_number(report):
        return holder(state, identifier_key("phone", own_number(report)))
    contact = found(state, identifiers_of(report), name_of(report))
    return None if contact and named_otherwise(state, card(state, contact.contact_id), *account[:2]) else contact


def learnt(report: MessageReported, case: Case, contact_id: Id) -> Iterator[Event]:
    """What a report says of the customer: a number that somebody else has only makes both suspicious. A talk with
    nobody (a channel, a bot) has no card that could learn it."""
    if from_customer(report) and case.state.get(Contact, contact_id):
        own = [Identifier("phone", own_number(report))] if own_number(report) else []
        yield from identified(case, contact_id, [*own, *identifiers_of(report)], shares=False)


def own_number(report: MessageReported) -> str:
    """E.164 of the sender's own telephone; empty where the channel does not vouch for one."""
    return report.shared_phone.e164 if report.shared_phone and report.shared_is_own else ""


def own_phone(case: Case, contact_id: Id, phone: Phone) -> Iterator[Event]:
    """The channel vouches that the phone is the sender's own: the contact that has it is the same person."""
    identifier = Identifier("phone", phone.e164, phone.text)
    owner = holder(case.state, identifier.key)
    contact = card(case.state, contact_id)
    if owner is None:
        yield from identified(case, contact_id, [identifier])
        yield from retry_parked(case, contact_id)
    elif card(case.state, owner.contact_id) != contact:
        why = f"the sender shared {phone.e164} as their own"
        yield from merged(case, contact.contact_id, owner.contact_id, why)
        yield from retry_parked(case, owner.contact_id)
