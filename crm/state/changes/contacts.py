"""How events of a contact's card change the state: who it is, what it is known by, merges and their undoing."""

from collections.abc import Mapping

from msgspec.structs import replace

from crm.events import (
    ContactAbsorbed,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactReleased,
    ContactRenamed,
    ContactUnmerged,
    IdentifierAdded,
    IdentifierDoubted,
    IdentifierRemoved,
    IdentifierSettled,
)
from crm.scalars import Id
from crm.state.entities import Absorbed, Contact, Identity
from crm.state.entity import Changes, State, known
from crm.state.keys import identifier_key
from crm.state.reported import remember


def contact_created(state: State, event: ContactCreated) -> None:
    """With all that the card has from the first moment on."""
    names = tuple(identifier_key(one.kind, one.value) for one in event.identifiers)
    state.put(event.contact_id, Contact(event.contact_id, event.name, names, fields=given(event.fields), version=1))
    for name in names:
        held(state, name, event.contact_id)
    remember(state, event.report, event.meta.occurred_at, event.contact_id)


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
    name = identifier_key(event.kind, event.value)
    contact = known(state, Contact, event.contact_id)
    identifiers, lent = contact.identifiers, contact.lent
    if name not in identifiers:
        identifiers = (*identifiers, name)
        lent = (*lent, name) if event.from_id else lent
    state.put(event.contact_id, replace(contact, identifiers=identifiers, lent=lent, version=contact.version + 1))
    held(state, name, event.contact_id)


def held(state: State, name: str, contact_id: Id) -> None:
    """A card has an identifier from now on."""
    identity = state.get(Identity, name)
    if identity is None:
        state.put(name, Identity(contact_id))
    elif contact_id not in identity.holders:
        state.put(name, Identity(*sorted_first({*identity.holders, contact_id})))


def sorted_first(holders: set[Id]) -> tuple[Id, tuple[Id, ...]]:
    """The smallest, and the rest in order."""
    first, *rest = sorted(holders)
    return first, tuple(rest)


def contact_changed(state: State, event: ContactChanged) -> None:
    contact = known(state, Contact, event.contact_id)
    fields = given({**contact.fields, **event.fields})
    state.put(event.contact_id, replace(contact, fields=fields, version=contact.version + 1))


def given(fields: Mapping[str, str]) -> dict[str, str]:
    """null removes a field."""
    return {name: text for name, text in fields.items() if text != "null"}


def only_counted(state: State, event: ContactAbsorbed | ContactReleased) -> None:
    """What a card shows of another is in its row; decisions ask the other card."""
    contact = known(state, Contact, event.contact_id)
    state.put(event.contact_id, replace(contact, version=contact.version + 1))


def identifier_doubted(state: State, event: IdentifierDoubted) -> None:
    contact, name = known(state, Contact, event.contact_id), identifier_key(event.kind, event.value)
    if event.other_id:
        others = tuple(sorted({*contact.doubts.get(name, ()), event.other_id}))
        contact = replace(contact, doubts={**contact.doubts, name: others})
    else:
        contact = replace(contact, nobodys=with_(contact.nobodys, name))
    state.put(event.contact_id, replace(contact, version=contact.version + 1))


def identifier_settled(state: State, event: IdentifierSettled) -> None:
    contact, name = known(state, Contact, event.contact_id), identifier_key(event.kind, event.value)
    state.put(event.contact_id, replace(undoubted(contact, name), version=contact.version + 1))


def undoubted(contact: Contact, name: str) -> Contact:
    if name not in contact.doubts and name not in contact.nobodys:
        return contact
    doubts = {one: others for one, others in contact.doubts.items() if one != name}
    return replace(contact, doubts=doubts, nobodys=without(contact.nobodys, name))


def with_(known: tuple[str, ...], name: str) -> tuple[str, ...]:
    return known if name in known else (*known, name)


def without(known: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in known if one != name)


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
    name = identifier_key(event.kind, event.value)
    contact = undoubted(known(state, Contact, event.contact_id), name)
    identifiers, lent = without(contact.identifiers, name), without(contact.lent, name)
    state.put(event.contact_id, replace(contact, identifiers=identifiers, lent=lent, version=contact.version + 1))
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
    IdentifierDoubted: identifier_doubted,
    IdentifierSettled: identifier_settled,
    ContactAbsorbed: only_counted,
    ContactReleased: only_counted,
}
