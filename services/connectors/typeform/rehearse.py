"""Requests of Typeform, signed like it."""

from functools import partial

from services.connectors.rehearsal import Post, Rehearsal, derived_secret
from services.connectors.signatures.hmac_sha256 import base64_signature
from services.connectors.typeform.webhook import SIGNATURE


def signed(secret: str, post: Post, _at: int) -> Post:
    headers, body = post
    return headers | {SIGNATURE: base64_signature(body, secret)}, body


REHEARSAL = Rehearsal({}, partial(derived_secret, "typeform"), prove=signed)
