"""How events of parcels change the state: the parcel, and the shelves where it waits for its deal."""

from typing import Any

from msgspec.structs import replace

from crm.events import ParcelAttached, ParcelDetached, ParcelParked, ParcelRecorded, ParcelTracked
from crm.state.changes.payments import put_or_take
from crm.state.changes.removals import attach
from crm.state.entity import Changes, State, known
from crm.state.parcels import PARCEL, Parcel
from crm.vocabulary import returned_status

OFF: dict[str, Any] = {"deal_id": None, "attached_by": "", "candidates": ()}
STATUS = ("status", "status_code", "status_text", "changed_at", "doubts")
SUMS = ("cash_on_delivery_minor", "cost_minor", "currency")
DETAILS = ("reference", "phone", "return_number", "expected_at", *SUMS)


def parcel_tracked(state: State, event: ParcelTracked) -> None:
    parcel = of_event(state, event)
    if event.returns:
        parcel = replace(parcel, returns=event.returns, status=returned_status(parcel.status))
    state.put(event.parcel_id, replace(parcel, version=parcel.version + 1))


def parcel_recorded(state: State, event: ParcelRecorded) -> None:
    parcel = of_event(state, event)
    said = {name: getattr(event, name) for name in (*STATUS, *DETAILS)}
    state.put(event.parcel_id, replace(parcel, **said, version=parcel.version + 1))


def of_event(state: State, event: ParcelTracked | ParcelRecorded) -> Parcel:
    return state.get(Parcel, event.parcel_id) or Parcel(event.parcel_id, event.service, event.tracking_number)


def parcel_attached(state: State, event: ParcelAttached) -> None:
    place(state, event.parcel_id, deal_id=event.deal_id, attached_by=event.by, parked="", candidates=(), by_hand=False)
    attach(state, event.deal_id, "parcel")


def parcel_detached(state: State, event: ParcelDetached) -> None:
    place(state, event.parcel_id, **OFF, parked=event.why, by_hand=True)


def parcel_parked(state: State, event: ParcelParked) -> None:
    place(state, event.parcel_id, event.hints, **{**OFF, "candidates": event.candidates}, parked=event.why)


def place(state: State, parcel_id: str, hints: tuple[str, ...] = (), **fields: Any) -> None:
    """Move it from the shelves where it waits to those of the hints."""
    parcel = known(state, Parcel, parcel_id)
    for hint in {*parcel.hints} ^ {*hints}:
        put_or_take(state, hint, (PARCEL, parcel.parcel_id))
    state.put(parcel_id, replace(parcel, **fields, hints=hints, version=parcel.version + 1))


CHANGES: Changes = {
    ParcelTracked: parcel_tracked,
    ParcelRecorded: parcel_recorded,
    ParcelAttached: parcel_attached,
    ParcelDetached: parcel_detached,
    ParcelParked: parcel_parked,
}
