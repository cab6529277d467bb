"""Part of the fourth invariant: no identifier belongs to two contacts, unless one of them was merged into the other."""

from crm.events import ContactCreated, ContactMerged, IdentifierAdded
from crm.scalars import Id
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation

Way = tuple[Id, str, str]  # workspace, kind, value


def broken(journal: Journal) -> list[str]:
    known: dict[Way, set[Id]] = {}
    into: dict[Id, Id] = {}
    for event in journal.events:
        match event:
            case IdentifierAdded():
                known.setdefault((event.meta.workspace, event.kind, event.value), set()).add(event.contact_id)
            case ContactCreated():
                for one in event.identifiers:
                    known.setdefault((event.meta.workspace, one.kind, one.value), set()).add(event.contact_id)
            case ContactMerged():
                into[event.contact_id] = event.into_id
    shared = [
        f"{kind} {value} of {' and of '.join(sorted(cards))}"
        for (_, kind, value), contacts in known.items()
        if len(cards := {surviving_contact(contact, into) for contact in contacts}) > 1
    ]
    return violation("identifiers belong to more than one contact", shared)


def surviving_contact(contact: Id, into: dict[Id, Id]) -> Id:
    """Returns the contact that is left after all merges."""
    passed = {contact}
    while (after := into.get(contact)) and after not in passed:
        contact = after
        passed.add(contact)
    return contact
