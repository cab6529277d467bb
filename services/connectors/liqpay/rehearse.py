"""Callbacks of LiqPay, signed with the private key of a shop."""

import base64
from functools import partial
from typing import Any

from crm.connector import Delivery
from services.connectors.liqpay.webhook import sign
from services.connectors.rehearsal import Post, Rehearsal, derived_secret, form_post, json_bytes, with_post

secret_of = partial(derived_secret, "liqpay")


def callback(private_key: str, payment: int, amount: str, algorithm: str = "sha1", /, **changes: Any) -> Post:
    """Returns a payment of `amount` hryvnias ("54.10"), successful unless `changes` say otherwise (status, ...)."""
    fields = {"payment_id": payment, "status": "success", "amount": amount, "currency": "UAH"}
    return signed(private_key, json_bytes(fields | {"end_date": 1791190860000} | changes), algorithm)


def signed(private_key: str, payment: bytes, algorithm: str = "sha1") -> Post:
    data = base64.b64encode(payment).decode()
    return form_post({"data": data, "signature": sign(private_key, data, algorithm)})


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


def pay_by_card(seed: str, payment: int, amount: str, reference: str) -> Post:
    """Returns a payment of `amount` hryvnias for an order."""
    return callback(secret_of(seed), payment, amount, order_id=reference)


REHEARSAL = Rehearsal(
    {"pay_by_card": pay_by_card}, secret_of, sign=sign_delivery, settings=lambda _seed: {"sandbox": "yes"}
)
