"""Events of Stripe, signed with the secret of an endpoint."""

from functools import partial
from typing import Any

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post
from services.connectors.signatures.hmac_sha256 import timed_signature
from services.connectors.stripe.webhook import SIGNATURE

SIGNED_AT = Micros(1_791_190_920_000_000)

secret_of = partial(derived_secret, "stripe")


def event(secret: str, kind: str, thing: dict[str, Any], /, id: str = "evt_1", created: int = 1791190860) -> Post:
    """Returns an event of a kind ("charge.succeeded") about an object, in live mode."""
    fields: dict[str, Any] = {"id": id, "object": "event", "type": kind, "created": created, "livemode": True}
    return signed(secret, json_bytes(fields | {"data": {"object": thing}}))


def signed(secret: str, body: bytes, at: Micros = SIGNED_AT) -> Post:
    return {"content-type": JSON, SIGNATURE: timed_signature(body, secret, at // 1_000_000, "v1")}, body


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body, delivery.received_at))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, settings=lambda _seed: {"test_mode": "yes"})
