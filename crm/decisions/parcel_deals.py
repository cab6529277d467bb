"""Which deal a parcel is for, what it waits for when it is not known, and where its status moves the deal."""

from collections.abc import Iterator
from typing import NamedTuple

from crm.decisions.case import Case, State
from crm.decisions.contacts import Identifier, cards, identifies
from crm.decisions.payment_evidence import reference_hint
from crm.decisions.purpose import number_of
from crm.decisions.settlement import place
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import DealStageMoved, ParcelAttached, ParcelParked, ParcelTracked
from crm.parcels import parcel_id_of
from crm.scalars import Id
from crm.shared import Phone
from crm.state import Contact, Deal, DealNumber, DealReference, Parcel, Parked, known, shelf
from crm.state.entities import OUTCOMES
from crm.state.parcels import BY_PARCEL
from crm.state.references import reference_key
from crm.vocabulary import ParcelStatus

MOST_WAITING = 500  # on one shelf, as for payments
OVER = (ParcelStatus.RECEIVED, ParcelStatus.RETURNED)
BACK = (ParcelStatus.FAILED, ParcelStatus.RETURNING, ParcelStatus.RETURNED)


class Found(NamedTuple):
    """The deal of a parcel, and how it was found."""

    deal: Deal
    by: str
    why: str


class Nothing(NamedTuple):
    """Why no deal is certain, what would find it, and which deals it could be."""

    why: str
    hints: tuple[str, ...] = ()
    candidates: tuple[Id, ...] = ()


def find_deal(state: State, parcel: Parcel) -> Found | Nothing:
    """The order's number decides. A telephone number is weaker: only where no order is named, and only when its owner
    has one deal that is not over."""
    by_reference = of_reference(state, parcel.reference)
    if isinstance(by_reference, Found):
        return by_reference
    by_phone = of_phone(state, parcel.phone)
    if isinstance(by_phone, Nothing):
        seen = dict.fromkeys((*by_reference.candidates, *by_phone.candidates))
        why = "; ".join(filter(None, (by_reference.why, by_phone.why))) or "it names neither an order nor a telephone"
        return Nothing(why, (*by_reference.hints, *by_phone.hints), tuple(seen))
    candidates = tuple(dict.fromkeys((*by_reference.candidates, by_phone.deal.deal_id)))
    if by_reference.why:
        return Nothing(
            f"{by_reference.why}; by its telephone it could be for D-{by_phone.deal.number}",
            by_reference.hints,
            candidates,
        )
    if parcel.status in OVER:
        return Nothing(
            f"it was {parcel.status} before it was known, so its telephone alone does not tell its deal", (), candidates
        )
    return by_phone


def of_reference(state: State, reference: str) -> Found | Nothing:
    if not reference:
        return Nothing("")
    number = number_of(reference)
    entry = state.get(DealNumber, str(number)) if number is not None else None
    if entry:
        return Found(known(state, Deal, entry.deal_id), "number", f"it names D-{number}")
    referred = state.get(DealReference, reference_key(reference))
    deals = [deal for deal_id in referred.deals if (deal := state.get(Deal, deal_id))] if referred else []
    deals = [deal for deal in deals if deal.stage not in OUTCOMES] or deals
    if len(deals) == 1:
        return Found(deals[0], "reference", f"its order is {reference}")
    why = f"several deals have the reference {reference}" if deals else f"no deal has the reference {reference}"
    return Nothing(why, () if deals else (reference_hint(reference),), tuple(deal.deal_id for deal in deals))


def of_phone(state: State, phone: Phone | None) -> Found | Nothing:
    if phone is None or not phone.e164:
        return Nothing("")
    identifier = Identifier("phone", phone.e164, phone.text, phone.extension)
    contact = None if identifier.is_shared else identifies(state, identifier)
    if contact is None:
        return Nothing(f"no contact is known by {phone.e164} alone", (f"payer:{identifier.key}",))
    deals = unfinished(state, contact)
    if len(deals) == 1:
        return Found(deals[0], "phone", f"its recipient has one deal that is not over: D-{deals[0].number}")
    why = f"the contact with {phone.e164} has {len(deals) or 'no'} deals that are not over"
    return Nothing(why, (), tuple(deal.deal_id for deal in deals) or contact.newest_deals[-2:])


def unfinished(state: State, contact: Contact) -> list[Deal]:
    """The deals of a person that are neither won nor lost. One that is paid in full still waits for its parcel."""
    ids = {deal_id for one in cards(state, contact) for deal_id in (*one.open_deals, *one.newest_deals)}
    deals = (known(state, Deal, deal_id) for deal_id in sorted(ids))
    return [deal for deal in deals if deal.stage not in OUTCOMES]


def placed(case: Case, parcel: Parcel) -> Iterator[Event]:
    """Attaches a parcel to its deal, or parks it with what is missing."""
    if parcel.by_hand:
        return
    found = find_deal(case.state, parcel)
    if isinstance(found, Found):
        yield from attached(case, parcel, *found)
        return
    room = [hint for hint in found.hints if hint in parcel.hints or waiting(case.state, hint) < MOST_WAITING]
    why = found.why
    if len(room) < len(found.hints):
        why += f"; {MOST_WAITING} others wait for the same already: attach it by hand"
    parked = why, tuple(sorted(room)), found.candidates
    if parked != (parcel.parked, parcel.hints, parcel.candidates):
        yield ParcelParked(case.meta(parcel.parcel_id), parcel.parcel_id, *parked)


def waiting(state: State, hint: str) -> int:
    parked = state.get(Parked, shelf(hint))
    return len(parked.waiting) if parked else 0


def retry_parcel(case: Case, parcel_id: Id, by_phone: bool, new_deal: bool) -> Iterator[Event]:
    """A deal that was opened after its recipient's parcel was sent is not the parcel's for that alone."""
    parcel = known(case.state, Parcel, parcel_id)
    if not parcel.deal_id and not (by_phone and new_deal):
        yield from placed(case, parcel)


def attached(case: Case, parcel: Parcel, deal: Deal, by: str, why: str) -> Iterator[Event]:
    parcel_id = parcel.parcel_id
    yield ParcelAttached(case.meta(parcel_id), parcel_id, deal.deal_id, deal.contact_id, by, why)
    parcel = known(case.state, Parcel, parcel_id)
    yield from moved(case, parcel, "")
    yield from sent_back(case, parcel)


def sent_back(case: Case, parcel: Parcel) -> Iterator[Event]:
    """The parcel in which this one comes back is followed too, and is for the same deal."""
    if not parcel.return_number or not parcel.deal_id:
        return
    back_id = parcel_id_of(case.fact.meta.workspace, parcel.service, parcel.return_number)
    back = case.state.get(Parcel, back_id)
    why = f"{parcel.tracking_number} is sent back in it"
    if back_id == parcel.parcel_id or (back and (back.by_hand or (back.returns and back.deal_id))):
        return
    if back is None or not back.returns:
        yield ParcelTracked(case.meta(back_id), back_id, parcel.service, parcel.return_number, parcel.parcel_id, why)
    deal = known(case.state, Deal, parcel.deal_id)
    if back is None or not back.deal_id:
        yield from attached(case, known(case.state, Parcel, back_id), deal, "return", why)


def moved(case: Case, parcel: Parcel, was: str) -> Iterator[Event]:
    """A status moves the deal forward to where the workspace says. Backward only what comes back, and only from where a
    parcel put the deal. What somebody decided after the parcel came to its status stays, and so does an outcome."""
    workspace = workspace_of(case)
    target = workspace.parcel_stages.get(parcel.status)
    if not target or parcel.status == was or not parcel.deal_id:
        return
    deal = known(case.state, Deal, parcel.deal_id)
    at = case.fact.meta.occurred_at if parcel.changed_at is None else parcel.changed_at
    if deal.stage in OUTCOMES or deal.stage == target or at < deal.stage_set_at:
        return
    comes_back = deal.by_parcel and (parcel.status in BACK or was in BACK)
    if comes_back or place(workspace, target) > place(workspace, deal.stage):
        why = f"parcel {parcel.tracking_number} is {parcel.status.replace('_', ' ')}"
        meta = case.meta(deal.contact_id, BY_PARCEL)
        yield DealStageMoved(meta, deal.deal_id, deal.contact_id, deal.stage, target, why)
