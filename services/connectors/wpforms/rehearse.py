"""Requests of the Webhooks add-on of WPForms, signed like it."""

from functools import partial

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.rehearsal import Post, Rehearsal, derived_secret
from services.connectors.signatures.hmac_sha256 import timed_signature
from services.connectors.signatures.php_json import signed_bytes
from services.connectors.wpforms.webhook import SIGNATURE


def signed(secret: str, post: Post, at: int) -> Post:
    headers, body = post
    fields = signed_bytes(Delivery(headers, body, Micros(0)))
    return headers | {SIGNATURE: timed_signature(fields, secret, at)}, body


REHEARSAL = Rehearsal({}, partial(derived_secret, "wpforms"), prove=signed)
