"""One row per line of a deal: what is bought, how much of it, and for how much."""

from crm.envelope import Row
from crm.events import DealLineChanged
from crm.projection import projection
from crm.scalars import Id, Micros


class DealLineRow(Row, frozen=True, gc=False):
    """A line of a deal, as the shop's order has it."""

    line_id: Id
    deal_id: Id
    contact_id: Id
    place: int  # in the order, from 1
    sku: str
    name: str
    quantity: str  # a decimal number, such as 2 or 1.25; empty if the shop does not tell
    price_minor: int | None  # of one, before discounts
    discount_minor: int  # off the whole line
    total_minor: int | None  # of the whole line, discount taken off
    currency: str
    version: int  # how many events it is a fold of
    touched_at: Micros


@projection(key="line_id", version=1, indexes=("deal_id, place", "sku, touched_at", "touched_at"))
def deal_line(row: DealLineRow | None, event: DealLineChanged) -> DealLineRow | None:
    if event.removed:
        return None
    line, at = event.line, event.meta.occurred_at
    return DealLineRow(
        line_id=event.line_id,
        deal_id=event.deal_id,
        contact_id=event.contact_id,
        place=event.place,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        price_minor=line.price_minor,
        discount_minor=line.discount_minor,
        total_minor=line.total_minor,
        currency=event.currency,
        version=row.version + 1 if row else 1,
        touched_at=max(row.touched_at, at) if row else at,
    )
