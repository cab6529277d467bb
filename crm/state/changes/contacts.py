"""How events of a contact's card change the state: who it is, what it is known by, merges and their undoing."""

from msgspec.structs import replace

from crm.events import (
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    ContactUnmerged,
    IdentifierAdded,
    IdentifierRemoved,
)
from crm.scalars import Id
from crm.state.entities import Absorbed, Contact, Identity, identifier
from crm.state.entity import Changes, State, known


def contact_created(state: State, event: ContactCreated) -> None:
    state.put(event.contact_id, Contact(event.contact_id, event.name, version=1))


def contact_renamed(state: State, event: ContactRenamed) -> None:
    contact = known(state, Contact, event.contact_id)
    state.put(event.contact_id, replace(contact, name=event.name, version=contact.version + 1))


def contact_merged(state: State, event: ContactMerged) -> None:
    contact = known(state, Contact, event.contact_id)
    state.put(event.contact_id, replace(contact, merged_into=event.into_id, version=contact.version + 1))
    absorbed = state.get(Absorbed, event.into_id)
    contacts = {*(absorbed.contacts if absorbed else ()), event.contact_id}
    state.put(event.into_id, Absorbed(tuple(sorted(contacts))))


def identifier_added(state: State, event: IdentifierAdded) -> None:
    name = identifier(event.kind, event.value)
    contact = known(state, Contact, event.contact_id)
    ways = contact.identifiers if name in contact.identifiers else (*contact.identifiers, name)
    state.put(event.contact_id, replace(contact, identifiers=ways, version=contact.version + 1))
    identity = state.get(Identity, name)
    if identity is None:
        state.put(name, Identity(event.contact_id))
    elif event.contact_id not in identity.holders:
        state.put(name, Identity(*sorted_first({*identity.holders, event.contact_id})))


def sorted_first(holders: set[Id]) -> tuple[Id, tuple[Id, ...]]:
    """The smallest, and the rest in order."""
    first, *rest = sorted(holders)
    return first, tuple(rest)


def contact_changed(state: State, event: ContactChanged) -> None:
    """Custom fields are remembered by nobody: they are checked when they are given."""
    contact = known(state, Contact, event.contact_id)
    state.put(event.contact_id, replace(contact, version=contact.version + 1))


def contact_unmerged(state: State, event: ContactUnmerged) -> None:
    contact = known(state, Contact, event.contact_id)
    state.put(event.contact_id, replace(contact, merged_into=None, version=contact.version + 1))
    absorbed = state.get(Absorbed, event.from_id)
    left = {*(absorbed.contacts if absorbed else ())} - {event.contact_id}
    if left:
        state.put(event.from_id, Absorbed(tuple(sorted(left))))
    else:
        state.drop(Absorbed, event.from_id)


def identifier_removed(state: State, event: IdentifierRemoved) -> None:
    name = identifier(event.kind, event.value)
    contact = known(state, Contact, event.contact_id)
    ways = tuple(way for way in contact.identifiers if way != name)
    state.put(event.contact_id, replace(contact, identifiers=ways, version=contact.version + 1))
    identity = state.get(Identity, name)
    left = {*(identity.holders if identity else ())} - {event.contact_id}
    if left:
        state.put(name, Identity(*sorted_first(left)))
    else:
        state.drop(Identity, name)


CHANGES: Changes = {
    ContactCreated: contact_created,
    ContactRenamed: contact_renamed,
    ContactChanged: contact_changed,
    ContactMerged: contact_merged,
    ContactUnmerged: contact_unmerged,
    IdentifierAdded: identifier_added,
    IdentifierRemoved: identifier_removed,
}
