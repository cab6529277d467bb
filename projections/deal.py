"""One row per deal: its stage, its amount and its owner."""

from typing import Any

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import DealAssigned, DealChanged, DealOpened, DealPaid, DealRemoved, DealStageMoved, EnquiryRepeated
from crm.projection import Json, projection
from crm.scalars import Id, Micros
from crm.state.entities import OUTCOMES


class DealRow(Row, frozen=True, gc=False):
    """A deal in the pipeline."""

    deal_id: Id
    contact_id: Id
    number: int
    title: str
    amount_minor: int
    paid_minor: int
    held_minor: int
    currency: str
    stage: str
    owner: str
    owner_reason: str
    source: str
    form: str
    page: str
    reference: str
    fields: Json
    utm: Json
    files: tuple[str, ...]  # JSON text of crm.Attachment
    suspicious: str
    opened_at: Micros
    touched_at: Micros
    stage_reason: str = ""  # why it stands there, when it was moved
    doubts: tuple[str, ...] = ()  # what its form gave and could not be read with certainty
    version: int = 1  # how many events it is a fold of; give it as expectedVersion
    written: Json = {}  # noqa: RUF012  # fields that were converted to their type: each as its form had it
    repeats: int = 0  # how often the same enquiry came again
    external_ids: tuple[str, ...] = ()  # keys in other systems, as system:key
    closed_at: Micros | None = None  # when it was won or lost last; null while it is open


GIVEN = ("title", "amount_minor", "currency", "reference", "doubts", "opened_at")  # columns, where they are not null
DealUpdate = DealChanged | DealAssigned | DealPaid | DealStageMoved | EnquiryRepeated


@projection(
    key="deal_id",
    version=7,
    indexes=(
        "touched_at",
        "number",
        "opened_at",
        "currency, amount_minor",
        "stage, touched_at",
        "stage, opened_at",
        "closed_at",
        "stage, closed_at",
        "stage, currency, amount_minor",
        "owner, touched_at",
        "stage, owner, touched_at",
        "source, touched_at",
        "contact_id, touched_at",
        "reference",
        "fields",
        "external_ids",
    ),
    found_by=("title", "reference"),
    totals=("stage, owner", "source by opened_at", "owner by opened_at", "stage, owner by closed_at"),
    summed=("amount_minor", "paid_minor"),
)
def deal(row: DealRow | None, event: DealOpened | DealUpdate | DealRemoved) -> DealRow | None:
    at = event.meta.occurred_at
    if isinstance(event, DealOpened):
        return row or opened(event)
    if row is None or isinstance(event, DealRemoved):
        return None
    return replace(row, touched_at=max(row.touched_at, at), version=row.version + 1, **changes(row, event))


def changes(row: DealRow, event: DealUpdate) -> dict[str, Any]:
    """Returns the columns that an event changes."""
    match event:
        case DealAssigned():
            return {"owner": event.owner, "owner_reason": event.why}
        case DealPaid():
            # Changes are added up: as of a moment, a payment reported late must not include those received meanwhile.
            change = event.held_change_minor
            held = event.held_minor if change is None else row.held_minor + change
            return {"paid_minor": row.paid_minor + event.change_minor, "held_minor": held}
        case DealStageMoved():
            closed_at = event.closed_at or closed(event.stage, event.meta.occurred_at)
            return {"stage": event.stage, "stage_reason": event.why, "closed_at": closed_at}
        case EnquiryRepeated():
            return {"repeats": row.repeats + 1}
        case DealChanged():
            return changed(row, event)


def closed(stage: str, at: Micros) -> Micros | None:
    """Returns when a deal that came to this stage at this moment was closed."""
    return at if stage in OUTCOMES else None


def changed(row: DealRow, event: DealChanged) -> dict[str, Any]:
    """Returns the changed columns. A null column stays as it is; a null custom field is removed."""
    fields = {name: text for name, text in {**row.fields, **event.fields}.items() if text != "null"}
    given = {name: getattr(event, name) for name in GIVEN}
    return {"fields": fields} | {name: value for name, value in given.items() if value is not None}


def opened(event: DealOpened) -> DealRow:
    """Returns the row of a new deal."""
    return DealRow(
        deal_id=event.deal_id,
        contact_id=event.contact_id,
        number=event.number,
        title=event.title,
        amount_minor=event.amount_minor,
        paid_minor=0,
        held_minor=0,
        currency=event.currency,
        stage=event.stage,
        owner="",
        owner_reason="",
        source=event.source,
        form=event.form,
        page=event.page,
        reference=event.reference,
        fields=event.fields,
        utm={name: json.encode(value).decode() for name, value in event.utm.items()},
        files=tuple(json.encode(file).decode() for file in event.files),
        suspicious=event.suspicious,
        doubts=event.doubts,
        written=event.written,
        opened_at=event.meta.occurred_at,
        touched_at=event.meta.occurred_at,
        external_ids=(f"{event.report.system}:{event.report.key}",) if event.report else (),
        closed_at=closed(event.stage, event.meta.occurred_at),
    )
