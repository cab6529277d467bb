"""Calls of a telephone, signed with its secret."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.ring.webhook import sign

secret_of = partial(derived_secret, "ring")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(
        delivery, {"x-signature": sign(secret_of(seed), delivery.received_at // 1_000_000, delivery.body)}
    )


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
