"""Callbacks of Viber to a bot, signed with its token."""

import hashlib
import hmac
from functools import partial

from crm.connector import Delivery
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import text
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post

secret_of = partial(derived_secret, "viber")


def signed(token: str, body: bytes) -> Post:
    mac = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": JSON, "x-viber-content-signature": mac}, body


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


def take(path: str, body: bytes) -> tuple[bytes, tuple[str, str]] | None:
    if not path.endswith("/pa/send_message"):
        return None
    sent, token = decode_object(body), int(hashlib.sha256(body).hexdigest()[:14], 16)
    answer = {"status": 0, "status_message": "ok", "message_token": token}
    return json_bytes(answer), (text(sent, "receiver"), text(sent, "text"))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, take=take)
