"""A part of the fourth law: no identifier belongs to two contacts, unless one of them was merged into the other."""

from crm.events import ContactMerged, IdentifierAdded
from crm.scalars import Id
from tests.chaos.laws.journal import Journal
from tests.chaos.laws.sentences import sentence

Way = tuple[Id, str, str]  # workspace, kind, value


def broken(journal: Journal) -> list[str]:
    known: dict[Way, set[Id]] = {}
    into: dict[Id, Id] = {}
    for event in journal.events:
        match event:
            case IdentifierAdded():
                known.setdefault((event.meta.workspace, event.kind, event.value), set()).add(event.contact_id)
            case ContactMerged():
                into[event.contact_id] = event.into_id
    shared = [
        f"{kind} {value} of {' and of '.join(sorted(cards))}"
        for (_, kind, value), contacts in known.items()
        if len(cards := {stands_for(contact, into) for contact in contacts}) > 1
    ]
    return sentence("identifiers belong to more than one contact", shared)


def stands_for(contact: Id, into: dict[Id, Id]) -> Id:
    """The card that is left of it after all merges."""
    passed = {contact}
    while (after := into.get(contact)) and after not in passed:
        contact = after
        passed.add(contact)
    return contact
