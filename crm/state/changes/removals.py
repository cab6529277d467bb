"""How it changes the state that a card, a deal or an object is gone, and what keeps one from going."""

import msgspec
from msgspec.structs import replace

from crm.events import (
    ContactRemoved,
    DealRemoved,
    ImportUndoBegan,
    ObjectRemoved,
    ReportWithdrawn,
)
from crm.scalars import Id
from crm.state.entities import ONLY, Contact, Deal, DealNumber, DealReference, DealSum, Identity, Load, Numbers
from crm.state.entity import Changes, State, known
from crm.state.keys import key
from crm.state.objects import Object
from crm.state.references import reference_key
from crm.state.removed import Attached, RemovedDeal, UndoneImport
from crm.state.reported import Reported, reported_key

NULL = "null"


def use(state: State, contact_id: Id, deal_id: Id | None = None) -> None:
    """Something came to a card, or to a deal of it, that goes with neither."""
    contact = state.get(Contact, contact_id)
    if contact and not contact.used:
        state.put(contact_id, replace(contact, used=True))
    deal = state.get(Deal, deal_id) if deal_id else None
    if deal and not deal.used:
        state.put(deal.deal_id, replace(deal, used=True))


def attach(state: State, deal_id: Id, kind: str) -> None:
    """`kind`: payment or parcel."""
    before = state.get(Attached, deal_id) or Attached()
    if kind not in before.kinds:
        state.put(deal_id, Attached(tuple(sorted({*before.kinds, kind}))))


def deal_removed(state: State, event: DealRemoved) -> None:
    deal = known(state, Deal, event.deal_id)
    state.get(RemovedDeal, event.deal_id)  # an id that was there before is not new
    state.put(event.deal_id, RemovedDeal(event.contact_id, event.number, event.owner, event.owner_reason))
    state.drop(Deal, event.deal_id)
    state.drop(DealNumber, str(event.number))
    numbers = state.get(Numbers, ONLY) or Numbers()
    standing = {**numbers.standing, deal.stage: numbers.standing.get(deal.stage, 0) - 1}
    state.put(ONLY, Numbers(numbers.deals, {stage: standing[stage] for stage in sorted(standing) if standing[stage]}))
    if event.reference:
        name = reference_key(event.reference)
        referred = state.get(DealReference, name)
        if left := tuple(one for one in (referred.deals if referred else ()) if one != event.deal_id):
            state.put(name, DealReference(left))
        else:
            state.drop(DealReference, name)
    if deal.amount_minor and (worth := state.get(DealSum, str(deal.amount_minor))):
        state.put(str(deal.amount_minor), DealSum(tuple(one for one in worth.deals if one[1] != event.deal_id)))
    if deal.open and deal.owner:
        load = state.get(Load, key(deal.owner)) or Load()
        state.put(key(deal.owner), Load(load.open_deals - 1))
    contact = known(state, Contact, event.contact_id)
    newest = without(contact.newest_deals, event.deal_id)
    owners = [one.owner for deal_id in newest if (one := state.get(Deal, deal_id)) and one.owner]
    left_open = without(contact.open_deals, event.deal_id)
    owner = owners[-1] if owners else ""
    fewer = replace(contact, deals=contact.deals - 1, newest_deals=newest, open_deals=left_open, owner=owner)
    state.put(event.contact_id, fewer)


def without(ids: tuple[Id, ...], id: Id) -> tuple[Id, ...]:
    return tuple(one for one in ids if one != id)


def contact_removed(state: State, event: ContactRemoved) -> None:
    """What it was known by is free again."""
    contact = known(state, Contact, event.contact_id)
    for name in contact.identifiers:
        identity = state.get(Identity, name)
        if left := sorted({*(identity.holders if identity else ())} - {event.contact_id}):
            state.put(name, Identity(left[0], tuple(left[1:])))
        else:
            state.drop(Identity, name)
    state.drop(Contact, event.contact_id)


def report_withdrawn(state: State, event: ReportWithdrawn) -> None:
    name = reported_key(event.record, event.system, event.key)
    said = (state.get(Reported, name) or Reported()).said.copy()
    for value, text in event.said.items():
        if text == NULL:
            said.pop(value, None)
        else:
            said[value] = msgspec.json.decode(text, type=tuple[int, str])
    if said:
        state.put(name, Reported(said, event.newest, event.first, event.subject))
    else:
        state.drop(Reported, name)


def object_removed(state: State, event: ObjectRemoved) -> None:
    state.drop(Object, event.object_id)


def undo_began(state: State, event: ImportUndoBegan) -> None:
    before = state.get(UndoneImport, event.import_id)
    state.put(event.import_id, UndoneImport(max(event.number, before.count if before else 0)))


CHANGES: Changes = {
    ContactRemoved: contact_removed,
    DealRemoved: deal_removed,
    ObjectRemoved: object_removed,
    ReportWithdrawn: report_withdrawn,
    ImportUndoBegan: undo_began,
}
