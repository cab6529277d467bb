"""Who has an identifier: one card, several (then it is doubted), or none; and how cards are made and learn."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from crm.decisions.case import Case, State
from crm.envelope import Event
from crm.events import (
    ContactAbsorbed,
    ContactCreated,
    ContactRenamed,
    DuplicateSuspected,
    IdentifierAdded,
    IdentifierDoubted,
    IdentifierRemoved,
    IdentifierSettled,
)
from crm.scalars import Id
from crm.shared import ContactIdentifier
from crm.state import Absorbed, Contact, Identity, identifier_key, known
from crm.text.mailboxes import of_a_role

# Cards: an identifier that so many have is only mentioned on the next ones, which are not counted any more.
HOLDERS = 20
SEEN_TWICE = "it was seen with another contact too"
SHARED = frozenset(("email", "iban", "tax_id", "card"))  # kinds that people share; of a telephone, the first keeps it


class Identifier(NamedTuple):
    """What identifies a person: kind and normalised value, and how it was given."""

    kind: str
    value: str
    text: str = ""
    extension: str = ""  # of a telephone: then the number is an office's

    @property
    def is_shared(self) -> bool:
        """Of a kind that several people may have."""
        return self.kind in SHARED or bool(self.extension)

    @property
    def key(self) -> str:
        return identifier_key(self.kind, self.value)

    @property
    def of_a_role(self) -> bool:
        """A mailbox of a firm's task, which several people read."""
        return self.kind == "email" and of_a_role(self.value)


def card(state: State, contact_id: Id) -> Contact:
    """The card that stands for a contact today: merges are followed."""
    contact = known(state, Contact, contact_id)
    while contact.merged_into:
        contact = known(state, Contact, contact.merged_into)
    return contact


def salesperson(state: State, contact_id: Id) -> str:
    """Returns who has the contact's newest deal; empty when nobody has, or when there is no such contact."""
    return card(state, contact_id).owner if state.get(Contact, contact_id) else ""


def alone(state: State, key: str, identity: Identity) -> Contact | None:
    """The one card that has an identifier, where nothing else is to be asked: no other has it, it was seen with none,
    and the card stands. Most identifiers are so."""
    if identity.others:
        return None
    one = known(state, Contact, identity.contact_id)
    return None if one.merged_into or key in one.doubts or key in one.nobodys else one


def cards_of(state: State, key: str) -> list[Contact]:
    """All cards that stand and have an identifier, the smallest id first. Usually one."""
    identity = state.get(Identity, key)
    if identity is None:
        return []
    if not identity.others:
        return [card(state, identity.contact_id)]
    found = {one.contact_id: one for one in (card(state, contact_id) for contact_id in identity.holders)}
    return [found[contact_id] for contact_id in sorted(found)]


def doubted(state: State, key: str) -> tuple[Id, ...]:
    """The cards among which an identifier decides nothing: several have it, or somebody said that it is nobody's.
    Empty when it is not doubted."""
    return doubted_among(state, key, cards_of(state, key))


def doubted_among(state: State, key: str, found: Sequence[Contact]) -> tuple[Id, ...]:
    if not found:
        return ()
    ids, nobodys = {contact.contact_id for contact in found}, False
    for holder_id in known(state, Identity, key).holders:
        one = known(state, Contact, holder_id)
        nobodys |= key in one.nobodys
        ids |= {card(state, other).contact_id for other in one.doubts.get(key, ()) if state.get(Contact, other)}
    return tuple(sorted(ids)) if nobodys or len(ids) > 1 else ()


def card_of(state: State, key: str) -> Contact | None:
    """Whom an identifier identifies: None when nobody has it, and when it is doubted."""
    identity = state.get(Identity, key)
    return (alone(state, key, identity) or undoubted_among(state, key)) if identity else None


def undoubted_among(state: State, key: str) -> Contact | None:
    found = cards_of(state, key)
    return found[0] if found and not doubted_among(state, key, found) else None


def identifies(state: State, identifier: Identifier) -> Contact | None:
    """Returns the contact that an identifier names by itself; None when it is doubted or a role mailbox."""
    return None if identifier.of_a_role else card_of(state, identifier.key)


def holder(state: State, key: str) -> Contact | None:
    """The card that an identifier came with, also if it was merged: what comes by it is written there, and shown with
    the card that stands. So it is on the right side when the merge is undone. None when it identifies nobody."""
    identity = state.get(Identity, key)
    if identity is None:
        return None
    if one := alone(state, key, identity):
        return one
    found = undoubted_among(state, key)
    return held_by(state, key, found) if found else None


def nameless(state: State, key: str) -> Contact | None:
    """The one card without a name of those that share an identifier: what comes by it alone is kept together there."""
    found = [one for one in cards_of(state, key) if not names(state, one)]
    return held_by(state, key, found[0]) if len(found) == 1 else None


def held_by(state: State, key: str, stands: Contact) -> Contact:
    """Which of a card and those that were merged into it an identifier came with."""
    holders = [known(state, Contact, contact_id) for contact_id in known(state, Identity, key).holders]
    family = [one for one in holders if card(state, one.contact_id).contact_id == stands.contact_id]
    if key in stands.doubts and key not in stands.lent:
        return stands  # it had it before any merge
    passed_on = {one.merged_into for one in family}
    return next(one for one in family if one.contact_id not in passed_on)


def line(state: State, contact_id: Id) -> list[Contact]:
    """A card, the one that it was merged into, and so on to the one that stands."""
    found = [known(state, Contact, contact_id)]
    while into := found[-1].merged_into:
        found.append(known(state, Contact, into))
    return found


def cards(state: State, contact: Contact) -> Iterator[Contact]:
    """A card and all that were merged into it, also in turn."""
    yield contact
    absorbed = state.get(Absorbed, contact.contact_id)
    for contact_id in absorbed.contacts if absorbed else ():
        yield from cards(state, known(state, Contact, contact_id))


def created(
    case: Case, contact_id: Id, name: str, source: str, identifiers: Sequence[Identifier] = (), **said: Any
) -> Iterator[Event]:
    """Makes a card that is known by all of these: the event has those before the first that another card has too; that
    one is suspected or doubted, and the rest is learnt, as by any card. `said`: the other fields of ContactCreated."""
    known_by: dict[str, ContactIdentifier] = {}
    for one in identifiers:
        if case.state.get(Identity, one.key):
            break
        known_by.setdefault(one.key, ContactIdentifier(one.kind, one.value, one.text))
    first = tuple(known_by.values())
    yield ContactCreated(case.meta(contact_id), contact_id, name, source, identifiers=first, **said)
    if any(one.key not in known_by for one in identifiers):
        yield from identified(case, contact_id, identifiers)


def identified(case: Case, contact_id: Id, identifiers: Sequence[Identifier], shares: bool = True) -> Iterator[Event]:
    """Add what nobody has, also to the cards that this one was merged into. What another card has is reported as a
    suspicion, and of what people share it is doubted from then on whose it is. `shares`: then it is added here too."""
    own = known(case.state, Contact, contact_id).identifiers
    fresh = [identifier for identifier in identifiers if identifier.key not in own]
    if not fresh:
        return
    ids = [contact.contact_id for contact in line(case.state, contact_id)]
    for identifier in fresh:
        found = cards_of(case.state, identifier.key)
        if not found:
            yield from added(case, ids, identifier)
        elif all(other.contact_id != ids[-1] for other in found):
            yield from suspected(case, ids, identifier, found, shares)


def added(case: Case, ids: Sequence[Id], identifier: Identifier) -> Iterator[Event]:
    first, *above = ids
    yield IdentifierAdded(case.meta(first), first, identifier.kind, identifier.value, identifier.text)
    for one in above:
        yield IdentifierAdded(case.meta(one), one, identifier.kind, identifier.value, identifier.text, from_id=first)


def suspected(
    case: Case, ids: Sequence[Id], identifier: Identifier, others: Sequence[Contact], shares: bool
) -> Iterator[Event]:
    """Another card has it. Once so many have it that it says nothing at all, it is reported and not added."""
    holder_id, stands, other = ids[0], ids[-1], others[0]
    mine = known(case.state, Contact, holder_id)
    if identifier.key in mine.doubts or identifier.key in mine.nobodys:
        return
    if any(identifier.key in held_by(case.state, identifier.key, one).nobodys for one in others):
        if shares and len(known(case.state, Identity, identifier.key).holders) < HOLDERS:
            yield from added(case, ids, identifier)
        yield doubt(case, holder_id, identifier, None, "somebody said that it identifies nobody")
        return
    yield DuplicateSuspected(case.meta(stands), stands, other.contact_id, identifier.kind, identifier.value)
    if not identifier.is_shared and not doubted(case.state, identifier.key):
        return
    if shares and len(known(case.state, Identity, identifier.key).holders) < HOLDERS:
        yield from added(case, ids, identifier)
    yield doubt(case, holder_id, identifier, other.contact_id)
    for one in others:
        mine = held_by(case.state, identifier.key, one)
        if identifier.key not in mine.doubts or (not shares and len(mine.doubts[identifier.key]) < HOLDERS):
            yield doubt(case, mine.contact_id, identifier, stands)


def doubt(
    case: Case, contact_id: Id, identifier: Identifier, other_id: Id | None, why: str = SEEN_TWICE
) -> IdentifierDoubted:
    return IdentifierDoubted(
        case.meta(contact_id), contact_id, identifier.kind, identifier.value, other_id=other_id, why=why
    )


def taken(case: Case, contact: Contact, identifier: Identifier, why: str) -> Iterator[Event]:
    """An identifier goes from a card, also from those that were merged into it, or it would still be found by it. Whom
    it is left to alone is doubted by it no more."""
    for one in list(cards(case.state, known(case.state, Contact, contact.contact_id))):
        if identifier.key in one.identifiers:
            yield IdentifierRemoved(case.meta(one.contact_id), one.contact_id, identifier.kind, identifier.value, why)
    left = cards_of(case.state, identifier.key)
    if len(left) == 1:
        yield from undoubted(case, left[0], identifier, "no other contact has it any more")


def undoubted(case: Case, contact: Contact, identifier: Identifier, why: str) -> Iterator[Event]:
    for one in list(cards(case.state, known(case.state, Contact, contact.contact_id))):
        if identifier.key in one.doubts or identifier.key in one.nobodys:
            yield IdentifierSettled(case.meta(one.contact_id), one.contact_id, identifier.kind, identifier.value, why)


def named(case: Case, contact: Contact, name: str, why: str) -> Iterator[Event]:
    """A name fills an empty one, and never writes over what somebody may have corrected. Cards above show it."""
    if not name or contact.name:
        return
    contact_id = contact.contact_id
    yield ContactRenamed(case.meta(contact_id), contact_id, name, why)
    for one in line(case.state, contact_id)[1:]:
        yield ContactAbsorbed(case.meta(one.contact_id), one.contact_id, contact_id, name, contact.fields)


def names(state: State, contact: Contact) -> list[str]:
    """What a card and all that were merged into it are called."""
    return [one.name for one in cards(state, contact) if one.name]
