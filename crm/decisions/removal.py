"""A card or a deal goes, or is as it was before an import; and what keeps it from that."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from crm.decisions.case import Case
from crm.decisions.contact_report import shown_above
from crm.decisions.contacts import Identifier, card, doubt, taken
from crm.decisions.deal_report import existing
from crm.decisions.merging import identifier_from
from crm.decisions.own_keys import fields_of
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import (
    ContactChanged,
    ContactRemoved,
    ContactRenamed,
    DealAssigned,
    DealChanged,
    DealStageMoved,
    IdentifierSettled,
)
from crm.facts import ImportedRecordUndone
from crm.scalars import Id
from crm.state import Absorbed, Attached, Contact, Deal, Identity, known

NULL = "null"
MEANWHILE = "it was changed while the import was undone: undo it once more"
FIELD = "fields."


def deal_kept(case: Case, deal: Deal) -> str:
    """Returns why a deal cannot go."""
    attached = case.state.get(Attached, deal.deal_id)
    kinds = attached.kinds if attached else ()
    if deal.paid_minor or deal.held_minor or "payment" in kinds:
        return "a payment is or was matched to it"
    if "parcel" in kinds:
        return "a parcel is or was attached to it"
    return "a note or a task is about it" if deal.used else ""


def contact_kept(case: Case, contact: Contact, fact: ImportedRecordUndone) -> str:
    """Returns why a card cannot go."""
    if contact.merged_into or case.state.get(Absorbed, contact.contact_id):
        return "it was merged with another card"
    if contact.used:
        return "a call, a chat, a note or a task came to it"
    if contact.deals:
        return "it has a deal"
    if contact.nobodys:
        return "somebody said of an identifier that it is nobody's"
    name, fields = msgspec.json.decode(fact.imported.get("name", '""')), fields_of(fact.imported)
    if (contact.name, contact.fields, {*contact.identifiers}) != (name, fields, {*fact.identifiers}):
        return MEANWHILE
    return ""


def removed_card(case: Case, contact: Contact, why: str) -> Iterator[Event]:
    """Other cards are not doubted for its sake any more."""
    for key in sorted({*contact.identifiers, *contact.doubts}):
        yield from undoubted_by(case, contact.contact_id, identifier_from(key), why)
    yield ContactRemoved(case.meta(contact.contact_id), contact.contact_id, why)


def undoubted_by(case: Case, contact_id: Id, identifier: Identifier, why: str) -> Iterator[Event]:
    """No other card that has an identifier is doubted for this one any more."""
    identity = case.state.get(Identity, identifier.key)
    for holder_id in identity.holders if identity else ():
        if holder_id != contact_id:
            yield from certain(case, holder_id, contact_id, identifier, why)


def contact_set_back(case: Case, contact: Contact, fact: ImportedRecordUndone) -> Iterator[Event]:
    """What it has of the import, and nobody changed since, is as before."""
    contact_id, shown = contact.contact_id, case.events
    if "name" in fact.imported and encode(contact.name) == fact.imported["name"]:
        before = msgspec.json.decode(fact.before.get("name", '""'), type=str)
        yield ContactRenamed(case.meta(contact_id), contact_id, before, fact.why)
    fields = {
        name: fact.before.get(FIELD + name, NULL)
        for name, text in fields_of(fact.imported).items()
        if contact.fields.get(name, NULL) == text
    }
    created_at = fact.before.get("created_at")
    if fields or created_at:
        at = msgspec.json.decode(created_at) if created_at else None
        yield ContactChanged(case.meta(contact_id), contact_id, fields, at)
    if case.events > shown:
        yield from shown_above(case, contact_id)
    for key in fact.identifiers:
        if key in known(case.state, Contact, contact_id).identifiers:
            yield from taken(case, card(case.state, contact_id), identifier_from(key), fact.why)
            yield from undoubted_by(case, contact_id, identifier_from(key), fact.why)
    for pair in fact.doubted:
        other_id, _, key = pair.partition(" ")
        other, contact = case.state.get(Contact, other_id), known(case.state, Contact, contact_id)
        if not (other and key in other.identifiers and key in contact.identifiers):  # it is one card's again
            yield from certain(case, contact_id, Id(other_id), identifier_from(key), fact.why)


def certain(case: Case, contact_id: Id, other_id: Id, identifier: Identifier, why: str) -> Iterator[Event]:
    """A card is not doubted for another one any more; for others it is still."""
    others = known(case.state, Contact, contact_id).doubts.get(identifier.key, ())
    if other_id in others:
        yield IdentifierSettled(case.meta(contact_id), contact_id, identifier.kind, identifier.value, why)
        for one in others:
            if one != other_id:
                yield doubt(case, contact_id, identifier, one)


def deal_set_back(case: Case, deal: Deal, fact: ImportedRecordUndone) -> Iterator[Event]:
    """The version says that it has still all that the import gave it."""
    ids = deal.deal_id, deal.contact_id
    if given := columns(fact.imported, fact.before):
        yield DealChanged(case.meta(deal.contact_id), *ids, **given)
    if "stage" in fact.imported:
        stage, closed_at = msgspec.json.decode(fact.before["stage"])
        stage = existing(workspace_of(case), stage)
        if stage != deal.stage or closed_at:  # it may have been moved away and back meanwhile
            meta = case.meta(deal.contact_id)
            yield DealStageMoved(meta, *ids, deal.stage, stage, fact.why, closed_at=closed_at)
    if "owner" in fact.imported:
        owner, version = msgspec.json.decode(fact.before["owner"]), workspace_of(case).rules_version
        yield DealAssigned(case.meta(deal.contact_id), *ids, owner, "", version, fact.why)


def columns(imported: Mapping[str, str], before: Mapping[str, str]) -> dict[str, Any]:
    """Returns what changes in the deal's row, but for its stage and its owner."""
    names = ("title", "reference", "doubts", "opened_at")
    given: dict[str, Any] = {name: msgspec.json.decode(before[name]) for name in names if name in imported}
    if "doubts" in given:
        given["doubts"] = tuple(given["doubts"])
    if "amount" in imported:
        given["amount_minor"], given["currency"] = msgspec.json.decode(before["amount"])
    if fields := {name: before.get(FIELD + name, NULL) for name in fields_of(imported)}:
        given["fields"] = fields
    return given


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
