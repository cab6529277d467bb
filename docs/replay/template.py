"""Copy this file, change the row and the fold, and run it: crm replay template.py --to parquet."""

from crm import Id, Json, Micros, Row, json_of, projection, replace
from crm.events import DealOpened, DealPaid, DealStageMoved


class DealValueRow(Row, frozen=True, gc=False):
    """One row per deal: its amount, and what was paid so far."""

    deal_id: Id
    source: str
    currency: str
    amount_minor: int
    paid_minor: int
    stage: str
    utm: Json
    opened_at: Micros
    paid_at: Micros | None


@projection(key="deal_id", version=1)
def deal_value(row: DealValueRow | None, event: DealOpened | DealPaid | DealStageMoved) -> DealValueRow | None:
    """The table is named after this function, which is called for each event of a deal, in order."""
    at = event.meta.occurred_at
    match event:
        case DealOpened():
            return DealValueRow(
                deal_id=event.deal_id,
                source=event.source,
                currency=event.currency,
                amount_minor=event.amount_minor,
                paid_minor=0,
                stage=event.stage,
                utm=json_of(event.utm),  # plain texts; `event.fields` are JSON texts already
                opened_at=at,
                paid_at=None,
            )
        case DealPaid() if row:
            return replace(row, paid_minor=row.paid_minor + event.change_minor, paid_at=at)
        case DealStageMoved() if row:
            return replace(row, stage=event.stage)
    return row  # None deletes the row
