"""Two projections in one file: the source of each deal, and each payment or refund with both clocks."""

from crm import Id, Micros, Row, projection
from crm.events import DealOpened, DealPaid


class OriginRow(Row, frozen=True, gc=False):
    """The source of a deal."""

    deal_id: Id
    source: str


class ReceiptRow(Row, frozen=True, gc=False):
    """A payment for a deal, or a refund."""

    receipt_id: Id
    deal_id: Id
    change_minor: int
    currency: str
    happened_at: Micros
    known_at: Micros


@projection(key="deal_id", version=1)
def origin(row: OriginRow | None, event: DealOpened) -> OriginRow | None:
    return OriginRow(event.deal_id, event.source)


@projection(key="receipt_id", version=1)
def receipt(row: None, event: DealPaid) -> ReceiptRow | None:
    meta = event.meta
    return ReceiptRow(meta.id, event.deal_id, event.change_minor, event.currency, meta.occurred_at, meta.recorded_at)
