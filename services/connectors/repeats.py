"""Keys of deliveries that have no id of their own."""

from functools import partial

from crm.connector import Delivery, Report, digest
from crm.facts import DeliveryKept
from crm.scalars import Micros

WINDOW = 10 * 60 * 1_000_000  # a second click, a retry of a form builder; the decision sees what crosses its edge


def content_key(kind: str, delivery: Delivery) -> str:
    """Returns a key made of the bytes: the same bytes are the same delivery."""
    return f"{kind}/{digest(delivery.body)}"


def kept(
    connector: str, kind: str, delivery: Delivery, key: str = "", sender: str = "", at: Micros | None = None
) -> Report:
    """Returns the report of what is nothing that this connector reads, or nothing that counts. `key`: the vendor's
    own, where it has one."""
    fact = partial(DeliveryKept, connector=connector, kind=kind)
    return Report(key or content_key(kind, delivery), sender, delivery.received_at if at is None else at, fact)
