"""Calls of a telephone, signed with its secret."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.ring.webhook import SIGNATURE
from services.connectors.signatures.hmac_sha256 import timed_signature

secret_of = partial(derived_secret, "ring")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    signature = timed_signature(delivery.body, secret_of(seed), delivery.received_at // 1_000_000, "v1")
    return with_headers(delivery, {SIGNATURE: signature})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
