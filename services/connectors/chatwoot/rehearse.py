"""Webhooks of a Chatwoot that signs them."""

import hashlib
import hmac
from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers

secret_of = partial(derived_secret, "chatwoot")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    stamp = str(delivery.received_at // 1_000_000)
    mac = hmac.new(secret_of(seed).encode(), stamp.encode() + b"." + delivery.body, hashlib.sha256).hexdigest()
    return with_headers(delivery, {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={mac}"})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, settings=lambda _seed: {"signed": "yes"})
