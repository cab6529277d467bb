"""Calls of a telephone, signed with its secret."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.ring.webhook import sign


def signed(delivery: Delivery, secret: str) -> Delivery:
    return with_headers(delivery, x_signature=sign(secret, delivery.received_at // 1_000_000, delivery.body))


REHEARSAL = Rehearsal({}, partial(derived_secret, "ring"), signed=signed)
