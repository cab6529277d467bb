"""Two cards turn out to be one person's, or not to be: what one shows of the other, and by what it is found."""

from collections.abc import Iterator

from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, card, cards, cards_of, doubt, doubted, line
from crm.envelope import Event
from crm.events import (
    ContactAbsorbed,
    ContactMerged,
    ContactReleased,
    ContactUnmerged,
    IdentifierAdded,
    IdentifierRemoved,
)
from crm.scalars import Id
from crm.state import Contact, known


def merged(case: Case, contact_id: Id, into_id: Id, why: str) -> Iterator[Event]:
    """One card goes into another, and so into those that that one was merged into: they get its identifiers, and show
    what it and all that were merged into it say."""
    contact, above = card(case.state, contact_id), line(case.state, into_id)
    below = list(cards(case.state, contact))
    yield ContactMerged(case.meta(contact_id), contact_id, into_id, why)
    for one in above:
        for key in contact.identifiers:
            if key not in one.identifiers:
                identifier = identifier_from(key)
                meta = case.meta(one.contact_id)
                yield IdentifierAdded(meta, one.contact_id, identifier.kind, identifier.value, from_id=contact_id)
        for shown in below:
            if shown.name or shown.fields:
                meta = case.meta(one.contact_id)
                yield ContactAbsorbed(meta, one.contact_id, shown.contact_id, shown.name, shown.fields)
    yield from still_doubted(case, {*contact.doubts, *above[-1].doubts}, above[-1].contact_id)


def still_doubted(case: Case, keys: set[str], contact_id: Id) -> Iterator[Event]:
    """What the two cards shared decides again. What a third one has too does not, and that is said on the card that
    stays if it had it by itself."""
    stands = known(case.state, Contact, contact_id)
    for key in sorted(keys & {*stands.identifiers} - {*stands.lent}):
        ids = doubted(case.state, key)
        others = [one for one in ids if one != contact_id]
        if contact_id in ids and others and others[0] not in stands.doubts.get(key, ()):
            yield doubt(case, contact_id, identifier_from(key), others[0])


def unmerged(case: Case, contact: Contact, why: str) -> Iterator[Event]:
    """A merged card stands for itself again, with all that were merged into it; the cards above have what they had."""
    contact_id = contact.contact_id
    assert contact.merged_into
    above = line(case.state, contact_id)[1:]
    below = list(cards(case.state, contact))
    yield ContactUnmerged(case.meta(contact_id), contact_id, contact.merged_into, why)
    for one in above:
        yield from given_back(case, contact, one)
        for shown in below:
            yield ContactReleased(case.meta(one.contact_id), one.contact_id, shown.contact_id)
    for key in contact.identifiers:
        if not cards_of(case.state, key):
            identifier = identifier_from(key)
            yield IdentifierAdded(case.meta(contact_id), contact_id, identifier.kind, identifier.value)


def given_back(case: Case, contact: Contact, one: Contact) -> Iterator[Event]:
    """What a card above has of the one that leaves, but not what it had by itself or has of another one."""
    others = {key for left in cards(case.state, one) if left.contact_id != one.contact_id for key in left.identifiers}
    for key in contact.identifiers:
        if key not in others and (key in one.lent or (key in one.identifiers and key not in one.doubts)):
            identifier = identifier_from(key)
            why = f"{contact.contact_id} stands for itself again"
            yield IdentifierRemoved(case.meta(one.contact_id), one.contact_id, identifier.kind, identifier.value, why)
            for other_id in one.doubts.get(key, ()):
                yield doubt(case, one.contact_id, identifier, other_id)  # that it was seen with another is still so


def identifier_from(key: str) -> Identifier:
    kind, _, value = key.partition(":")
    return Identifier(kind, value)
