"""What a fact will most likely ask the state for, so that a batch is loaded in few rounds.

Nothing here changes what is decided: a key that is missing costs one more round, a key too many a little reading.
"""

from collections.abc import Callable, Iterator
from typing import Any

from crm.commands import Command
from crm.decisions.chat import account_of, conversation_id_of
from crm.decisions.form import digest_in
from crm.decisions.form import identifiers_of as identifiers_of_form
from crm.decisions.payers import identifiers_of as identifiers_of_payer
from crm.decisions.payment import payment_id_of
from crm.decisions.payment_evidence import reference_hint
from crm.decisions.purpose import number_of, read
from crm.envelope import Fact, named_id
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.state import (
    Absorbed,
    Call,
    ChatOrigin,
    ConnectionKept,
    Contact,
    Conversation,
    Deal,
    DealNumber,
    DealReference,
    DealSum,
    Enquiry,
    Fields,
    Identity,
    Load,
    Message,
    Note,
    Numbers,
    PaidFrom,
    Parked,
    Payment,
    Task,
    TokenKept,
    Turn,
    Workspace,
    identifier_key,
    key,
    origin_key,
    shelf,
    turn_key,
)
from crm.state.entities import ONLY
from crm.state.entity import Entity
from crm.state.references import reference_key
from crm.vocabulary import ChatKind

Wanted = Iterator[tuple[type[Entity], str]]


def hints(fact: Fact) -> Wanted:
    """The first round: what the fact itself names."""
    yield Workspace, ONLY
    yield Numbers, ONLY
    of_its_kind = HINTS.get(type(fact))
    if of_its_kind:
        yield from of_its_kind(fact)
    elif isinstance(fact, Command):
        yield from ((kind, key) for field, kind in NAMED.items() if (key := getattr(fact, field, None)))


def of_form(form: FormSubmitted) -> Wanted:
    identifiers = identifiers_of_form(form)
    for identifier in identifiers:
        yield from of_identifier(identifier.key)
    if not identifiers:
        yield Enquiry, digest_in(form, identifiers)
    if form.fields:
        yield Fields, "deal"
    if reference := form.reference.strip():
        yield DealReference, reference_key(reference)
        yield Parked, reference_hint(reference)
    yield from of_sum(form.amount_minor)


def of_sum(amount_minor: int | None) -> Wanted:
    if amount_minor:
        yield DealSum, str(amount_minor)


def of_identifier(identifier: str) -> Wanted:
    yield Identity, identifier
    yield Parked, f"payer:{identifier}"


def of_payment(report: PaymentReported) -> Wanted:
    yield Payment, payment_id_of(report)
    yield from of_sum(report.amount_minor)
    words, reference = read(report.purpose), report.reference.strip()
    number = number_of(reference)
    numbers = {*words.deals, *(int(text) for text in words.orders), *(() if number is None else (number,))}
    yield from ((DealNumber, str(n)) for n in numbers)
    for text in (*words.references, *words.orders, *([reference] if reference else ())):
        yield DealReference, reference_key(text)
        yield Parked, reference_hint(text)
    yield from ((DealReference, reference_key(text)) for text in words.bare)
    for identifier in identifiers_of_payer(report.payer):
        yield from of_identifier(identifier.key)
        if identifier.kind in ("iban", "tax_id"):
            yield PaidFrom, identifier.key


def of_call(report: CallReported) -> Wanted:
    yield Call, named_id(report.meta.workspace, f"call/{report.meta.source}/{report.call}")
    if report.phone.e164:
        yield from of_identifier(identifier_key("phone", report.phone.e164))


def of_message(report: MessageReported) -> Wanted:
    if report.chat_kind != ChatKind.PRIVATE:
        yield ChatOrigin, origin_key(report.meta.source, report.channel, report.chat)
    conversation_id = conversation_id_of(report)
    yield Conversation, conversation_id
    yield Message, named_id(conversation_id, report.message)
    yield from of_identifier(account_of(report).key)
    if report.shared_phone and report.shared_is_own and report.shared_phone.e164:
        yield from of_identifier(identifier_key("phone", report.shared_phone.e164))


HINTS: dict[type[Fact], Callable[[Any], Wanted]] = {
    FormSubmitted: of_form,
    PaymentReported: of_payment,
    CallReported: of_call,
    MessageReported: of_message,
}


# What a command names by its fields.
NAMED: dict[str, type[Entity]] = {
    "contact_id": Contact,
    "into_id": Contact,
    "deal_id": Deal,
    "payment_id": Payment,
    "conversation_id": Conversation,
    "note_id": Note,
    "task_id": Task,
    "connection_id": ConnectionKept,
    "token_id": TokenKept,
}


def follow(entity: Entity) -> Wanted:
    """The next rounds: what is usually wanted once this was found."""
    match entity:
        case Workspace():
            for rule in entity.rules:
                yield Turn, turn_key(entity.rules_version, rule.name)
                yield from ((Load, key(owner)) for owner in rule.owners)
        case Identity():
            yield from ((Contact, contact_id) for contact_id in entity.holders)
        case Call() | Conversation():
            yield Contact, entity.contact_id
        case Enquiry():
            yield from ((Deal, deal_id) for _, deal_id in entity.deals)
        case Contact():
            yield Absorbed, entity.contact_id
            yield from ((Parked, f"payer:{identifier}") for identifier in entity.identifiers)
            if entity.merged_into:
                yield Contact, entity.merged_into
            if entity.owner:
                yield Load, key(entity.owner)
        case DealNumber():
            yield Deal, entity.deal_id
        case DealReference():
            yield from ((Deal, deal_id) for deal_id in entity.deals)
        case PaidFrom():
            yield from ((Contact, contact_id) for contact_id, _ in entity.payments)
        case Deal():
            yield Contact, entity.contact_id
            if entity.owner:
                yield Load, key(entity.owner)
        case Payment():
            yield from ((Parked, shelf(hint)) for hint in entity.hints)
            yield from ((Deal, deal_id) for deal_id in entity.deals)
        case Parked():
            yield from ((Payment, payment_id) for hint, payment_id in entity.waiting if not hint.startswith("number:"))
