"""Callbacks of Viber to a bot, signed with its token."""

import hashlib
import hmac
from functools import partial

from crm.scalars import Micros
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret

secret_of = partial(derived_secret, "viber")


def signed(token: str, body: bytes) -> Post:
    mac = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": JSON, "x-viber-content-signature": mac}, body


def sign(seed: str, body: bytes, _at: Micros) -> Post:
    return signed(secret_of(seed), body)


REHEARSAL = Rehearsal({}, secret_of, sign=sign)
