"""Who somebody is: found by an identifier, made when nobody has it, merged when two turn out to be one."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from crm.decisions.case import Case, State
from crm.envelope import Event
from crm.events import ContactCreated, ContactMerged, ContactRenamed, DuplicateSuspected, IdentifierAdded
from crm.scalars import Id
from crm.state import Absorbed, Contact, Identity, identifier, known

SHARED_BY = 20  # identifiers: an e-mail of a card with so many is not one person's ("no@mail.com"), so it finds nobody


class Way(NamedTuple):
    """A way to know somebody: kind and normalised value, and how it was given."""

    kind: str
    value: str
    text: str = ""

    @property
    def key(self) -> str:
        return identifier(self.kind, self.value)


def card(state: State, contact_id: Id) -> Contact:
    """The card that stands for a contact today: merges are followed."""
    contact = known(state, Contact, contact_id)
    while contact.merged_into:
        contact = known(state, Contact, contact.merged_into)
    return contact


def card_of(state: State, key: str) -> Contact | None:
    """Whose an identifier is."""
    identity = state.get(Identity, key)
    return card(state, identity.contact_id) if identity else None


def holder(state: State, key: str) -> Contact | None:
    """The card that an identifier came with, also if it was merged: what comes by it is written there, and shown with
    the card that stands. So it is on the right side when the merge is undone."""
    identity = state.get(Identity, key)
    if identity is None:
        return None
    holders = [known(state, Contact, contact_id) for contact_id in identity.holders]
    passed_on = {contact.merged_into for contact in holders}
    return next(contact for contact in holders if contact.contact_id not in passed_on)


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


def found(state: State, ways: Sequence[Way]) -> Contact | None:
    """The holder of the first way that anybody has; a shared e-mail counts only when there is nothing else to go by."""
    for way in ways:
        contact = card_of(state, way.key)
        if contact and not (way.kind == "email" and way is not ways[0] and len(contact.identifiers) >= SHARED_BY):
            return holder(state, way.key)
    return None


def created(
    case: Case, contact_id: Id, name: str, source: str, utm: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Event]:
    yield ContactCreated(case.meta(contact_id), contact_id, name, source, dict(utm))


def identified(case: Case, contact_id: Id, ways: Sequence[Way]) -> Iterator[Event]:
    """Add what nobody has, also to the cards that this one was merged into. What another card has is not taken from it:
    it is told."""
    ids = [contact.contact_id for contact in line(case.state, contact_id)]
    for way in ways:
        other = card_of(case.state, way.key)
        if other is None:
            for one in ids:
                yield IdentifierAdded(case.meta(one), one, way.kind, way.value, way.text)
        elif other.contact_id != ids[-1]:
            yield DuplicateSuspected(case.meta(ids[-1]), ids[-1], other.contact_id, way.kind, way.value)


def named(case: Case, contact_id: Id, name: str, why: str) -> Iterator[Event]:
    """A name fills empty ones, here and above, and never writes over what somebody may have corrected."""
    for contact in line(case.state, contact_id) if name else ():
        if not contact.name:
            yield ContactRenamed(case.meta(contact.contact_id), contact.contact_id, name, why)


def merged(case: Case, contact_id: Id, into_id: Id, why: str) -> Iterator[Event]:
    """One card goes into another, which gets its identifiers, and so do those that that one was merged into."""
    contact, above = card(case.state, contact_id), line(case.state, into_id)
    yield ContactMerged(case.meta(contact_id), contact_id, into_id, why)
    for one in above:
        for key in contact.identifiers:
            kind, _, value = key.partition(":")
            yield IdentifierAdded(case.meta(one.contact_id), one.contact_id, kind, value)
