"""Webhooks of a Chatwoot that signs them."""

import hashlib
import hmac
from functools import partial

from crm.scalars import Micros
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret

secret_of = partial(derived_secret, "chatwoot")


def sign(seed: str, body: bytes, at: Micros) -> Post:
    stamp = str(at // 1_000_000)
    mac = hmac.new(secret_of(seed).encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"content-type": JSON, "x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={mac}"}, body


REHEARSAL = Rehearsal({}, secret_of, sign=sign, settings=lambda _seed: {"signed": "yes"}, signs_time=True)
