"""Callbacks of Viber to a bot, signed with its token."""

import hashlib
import hmac
from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, with_post

secret_of = partial(derived_secret, "viber")


def signed(token: str, body: bytes) -> Post:
    mac = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": JSON, "x-viber-content-signature": mac}, body


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
