"""Copy this file, change the row and the fold, and run it: crm replay template.py --to parquet."""

from crm import Id, Micros, Row, projection, replace
from crm.events import DealOpened, DealPaid, DealStageMoved


class DealValueRow(Row, frozen=True, gc=False):
    """One row per deal: its amount, and what was paid so far."""

    deal_id: Id
    source: str
    currency: str
    amount_minor: int
    paid_minor: int
    stage: str
    opened_at: Micros
    paid_at: Micros | None


@projection(key="deal_id", version=1)
def deal_value(row: DealValueRow | None, event: DealOpened | DealPaid | DealStageMoved) -> DealValueRow | None:
    """The table is named after this function, which is called for each event of a deal, in order."""
    at = event.meta.occurred_at
    match event:
        case DealOpened():
            return DealValueRow(
                event.deal_id, event.source, event.currency, event.amount_minor, 0, event.stage, at, None
            )
        case DealPaid() if row:
            return replace(row, paid_minor=row.paid_minor + event.change_minor, paid_at=at)
        case DealStageMoved() if row:
            return replace(row, stage=event.stage)
    return row  # None deletes the row
