"""Callbacks of Fondy, signed with the payment key of a merchant."""

from functools import partial
from typing import Any

from crm.connector import Delivery
from services.connectors.fondy.webhook import sign
from services.connectors.formats.exact_json import decode_object, encode
from services.connectors.formats.values import within
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post

secret_of = partial(derived_secret, "fondy")


def callback(key: str, order: str, amount: int, /, **changes: Any) -> Post:
    """Returns an order of `amount` kopecks, approved unless `changes` say otherwise (order_status, ...)."""
    fields: dict[str, Any] = {
        "order_id": order,
        "merchant_id": 1396424,
        "payment_id": 805243692,
        "amount": str(amount),
        "currency": "UAH",
    }
    fields |= {"order_status": "approved", "tran_type": "purchase", "order_time": "05.10.2026 12:01:00"}
    return signed(key, json_bytes(fields | {"reversal_amount": "0"} | changes))


def signed(key: str, body: bytes) -> Post:
    """Returns a callback with a signature of its own in place of the one that it has."""
    fields = decode_object(body)
    order = within(fields, "response")
    order["signature"] = sign(key, order)
    return {"content-type": JSON}, encode(fields).encode()


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
