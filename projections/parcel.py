"""One row per parcel: where it is, which deal it is for, and whether its service is still asked."""

from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import ParcelAttached, ParcelDetached, ParcelParked, ParcelRecorded, ParcelTracked
from crm.projection import projection
from crm.scalars import Id, Micros
from crm.vocabulary import ParcelStatus, returned_status


class ParcelRow(Row, frozen=True, gc=False):
    """A parcel. `parked` while it fits no deal; `why` says what is missing, or how its deal was found."""

    parcel_id: Id
    deal_id: Id | None
    contact_id: Id | None
    service: str
    tracking_number: str
    status: str = ""  # empty while its service has not said anything
    status_code: str = ""
    status_text: str = ""
    changed_at: Micros | None = None
    reference: str = ""
    phone: str = ""
    cash_on_delivery_minor: int | None = None
    cost_minor: int | None = None
    currency: str = ""
    return_number: str = ""
    returns_id: Id | None = None
    expected_at: Micros | None = None
    parked: bool = False
    attached_by: str = ""
    why: str = ""
    candidates: tuple[str, ...] = ()  # ids of the deals that it could be for, while it is parked
    suspicious: str = ""
    doubts: tuple[str, ...] = ()
    tracked: bool = True  # its service is still asked where it is
    touched_at: Micros = Micros(0)
    created_at: Micros = Micros(0)
    version: int = 0  # how many events it is a fold of; give it as expectedVersion


OVER = (ParcelStatus.RECEIVED, ParcelStatus.RETURNED)
COPIED = (
    *(
        "status",
        "status_code",
        "status_text",
        "changed_at",
        "reference",
        "cash_on_delivery_minor",
        "cost_minor",
        "currency",
    ),
    *("return_number", "expected_at", "doubts"),
)
ATTACHED: dict[str, Any] = {"parked": False, "candidates": ()}
OFF: dict[str, Any] = {**ATTACHED, "deal_id": None, "contact_id": None, "attached_by": ""}
ParcelUpdate = ParcelAttached | ParcelDetached | ParcelParked


@projection(
    key="parcel_id",
    version=1,
    indexes=(
        "touched_at",
        "created_at",
        "status, touched_at",
        "parked, touched_at",
        "service, tracked, touched_at",
        "deal_id, touched_at",
        "contact_id, touched_at",
        "tracking_number",
        "candidates",
    ),
)
def parcel(row: ParcelRow | None, event: ParcelTracked | ParcelRecorded | ParcelUpdate) -> ParcelRow | None:
    at = event.meta.occurred_at
    if isinstance(event, ParcelTracked | ParcelRecorded):
        new = ParcelRow(event.parcel_id, None, None, event.service, event.tracking_number, touched_at=at, created_at=at)
        row = row or new
    if row is None:
        return None
    return replace(row, touched_at=max(row.touched_at, at), version=row.version + 1, **changes(row, event))


def changes(row: ParcelRow, event: ParcelTracked | ParcelRecorded | ParcelUpdate) -> dict[str, Any]:
    """Returns the columns that an event changes."""
    match event:
        case ParcelTracked():
            status = returned_status(row.status) if event.returns else row.status
            return {"returns_id": event.returns or row.returns_id, "status": status}
        case ParcelRecorded():
            said = {name: getattr(event, name) for name in COPIED}
            phone = event.phone.e164 or event.phone.text if event.phone else ""
            suspicious = event.suspicious or row.suspicious
            return {
                **said,
                "phone": phone,
                "suspicious": suspicious,
                "tracked": row.tracked and event.status not in OVER,
            }
        case ParcelAttached():
            found = {"deal_id": event.deal_id, "contact_id": event.contact_id, "attached_by": event.by}
            return {**ATTACHED, **found, "why": event.why, "tracked": row.status not in OVER}
        case ParcelDetached():
            return {**OFF, "tracked": False, "why": event.why}
        case ParcelParked():
            return {**OFF, "parked": True, "why": event.why, "candidates": event.candidates}
