"""What a fact will most likely ask the state for, so that a batch is loaded in few rounds.

Nothing here changes what is decided: a key that is missing costs one more round, a key too many a little reading.
"""

from collections.abc import Callable, Iterable
from typing import Any

from crm.commands import Command
from crm.state import (
    Absorbed,
    Attached,
    Call,
    ConnectionKept,
    Contact,
    Conversation,
    Deal,
    DealNumber,
    DealReference,
    DealSum,
    Enquiry,
    Identity,
    Load,
    MailThread,
    Note,
    PaidFrom,
    Parcel,
    Parked,
    PartOf,
    Parts,
    Payment,
    Task,
    TokenKept,
    Turn,
    WebhookKept,
    Workspace,
    key,
    shelf,
    turn_key,
)
from crm.state.entity import Entity
from crm.state.parcels import PARCEL

Wanted = Iterable[tuple[type[Entity], str]]


def of_sum(amount_minor: int | None) -> Wanted:
    if amount_minor:
        yield DealSum, str(amount_minor)


def of_identifier(identifier: str) -> Wanted:
    yield Identity, identifier
    yield Parked, f"payer:{identifier}"


# What a command names by its fields.
NAMED: dict[str, type[Entity]] = {
    "contact_id": Contact,
    "into_id": Contact,
    "deal_id": Deal,
    "payment_id": Payment,
    "parcel_id": Parcel,
    "conversation_id": Conversation,
    "note_id": Note,
    "task_id": Task,
    "connection_id": ConnectionKept,
    "token_id": TokenKept,
    "webhook_id": WebhookKept,
}


def of_command(command: Command) -> Wanted:
    return ((kind, key) for field, kind in NAMED.items() if (key := getattr(command, field, None)))


def of_workspace(workspace: Workspace) -> Wanted:
    for rule in workspace.rules:
        yield Turn, turn_key(workspace.rules_version, rule.name)
        yield from ((Load, key(owner)) for owner in rule.owners)


def of_contact(contact: Contact) -> Wanted:
    yield Absorbed, contact.contact_id
    yield from ((Parked, f"payer:{identifier}") for identifier in contact.identifiers)
    if contact.merged_into:
        yield Contact, contact.merged_into
    if contact.owner:
        yield Load, key(contact.owner)
    if contact.wrote_in:
        yield Conversation, contact.wrote_in


def of_deal(deal: Deal) -> Wanted:
    yield Contact, deal.contact_id
    yield Attached, deal.deal_id
    if deal.owner:
        yield Load, key(deal.owner)


def of_payment(payment: Payment) -> Wanted:
    yield from ((Parked, shelf(hint)) for hint in payment.hints)
    yield from ((Deal, deal_id) for deal_id in payment.deals)


def of_part(part: PartOf) -> Wanted:
    yield Payment, part.payment_id
    yield Parts, part.payment_id


def of_parked(parked: Parked) -> Wanted:
    for hint, id in parked.waiting:
        if not hint.startswith("number:"):
            yield (Parcel if hint == PARCEL else Payment), id


def of_parcel(parcel: Parcel) -> Wanted:
    yield from ((Parked, shelf(hint)) for hint in parcel.hints)
    if parcel.deal_id:
        yield Deal, parcel.deal_id


# The next rounds: what is usually wanted once a thing of a kind was found.
FOLLOW: dict[type[Entity], Callable[[Any], Wanted]] = {
    Workspace: of_workspace,
    Identity: lambda identity: [(Contact, contact_id) for contact_id in identity.holders],
    Call: lambda call: [(Contact, call.contact_id)],
    Conversation: lambda conversation: [(Contact, conversation.contact_id)],
    MailThread: lambda thread: [(Conversation, thread.conversation_id)],
    Enquiry: lambda enquiry: [(Deal, deal_id) for _, deal_id in enquiry.deals],
    Contact: of_contact,
    DealNumber: lambda number: [(Deal, number.deal_id)],
    DealReference: lambda reference: [(Deal, deal_id) for deal_id in reference.deals],
    PaidFrom: lambda paid_from: [(Contact, contact_id) for contact_id, _ in paid_from.payments],
    Deal: of_deal,
    Payment: of_payment,
    Parked: of_parked,
    Parcel: of_parcel,
    PartOf: of_part,
    Parts: lambda parts: [(Parts, part.part_id) for part in parts.parts if part.kind == "capture"],
}
