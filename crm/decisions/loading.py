"""What a fact will most likely ask the state for, so that a batch is loaded in few rounds.

Nothing here changes what is decided: a key that is missing costs one more round, a key too many a little reading.
"""

from collections.abc import Iterable

from crm.commands import Command
from crm.state import (
    Absorbed,
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
    Note,
    PaidFrom,
    Parked,
    Payment,
    Task,
    TokenKept,
    Turn,
    Workspace,
    key,
    shelf,
    turn_key,
)
from crm.state.entity import Entity

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
    "conversation_id": Conversation,
    "note_id": Note,
    "task_id": Task,
    "connection_id": ConnectionKept,
    "token_id": TokenKept,
}


def of_command(command: Command) -> Wanted:
    return ((kind, key) for field, kind in NAMED.items() if (key := getattr(command, field, None)))


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
