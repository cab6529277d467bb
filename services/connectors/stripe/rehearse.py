"""Events of Stripe, signed with the secret of an endpoint."""

from functools import partial
from typing import Any

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post
from services.connectors.stripe.webhook import sign

SIGNED_AT = Micros(1_791_190_920_000_000)

secret_of = partial(derived_secret, "stripe")


def event(secret: str, kind: str, thing: dict[str, Any], /, id: str = "evt_1", created: int = 1791190860) -> Post:
    """Returns an event of a kind ("charge.succeeded") about an object, in live mode."""
    fields: dict[str, Any] = {"id": id, "object": "event", "type": kind, "created": created, "livemode": True}
    return signed(secret, json_bytes(fields | {"data": {"object": thing}}))


def signed(secret: str, body: bytes, at: Micros = SIGNED_AT) -> Post:
    moment = str(at // 1_000_000)
    return {"content-type": JSON, "stripe-signature": f"t={moment},v1={sign(secret, moment, body)}"}, body


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body, delivery.received_at))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, settings=lambda _seed: {"test_mode": "yes"})
