"""Mails and events of Mailgun, signed with the webhook signing key."""

import re
from functools import partial
from hashlib import sha256
from urllib.parse import urlencode

from msgspec.structs import replace

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.exact_json import decode_object, encode
from services.connectors.mailgun.webhook import FIELDS, is_json, mac_of
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, form_post

secret_of = partial(derived_secret, "mailgun")
TOKEN = sha256(b"token").hexdigest()[:50]


def proof(seed: str, at: int) -> dict[str, str]:
    return dict(zip(FIELDS, (str(at), TOKEN, mac_of(secret_of(seed), str(at), TOKEN)), strict=True))


def sign(delivery: Delivery, seed: str) -> Delivery:
    """Puts the proof into the body, in place of the one that is there."""
    said = proof(seed, delivery.received_at // 1_000_000)
    if is_json(delivery):
        body = encode(decode_object(delivery.body) | {"signature": said}).encode()
    elif delivery.content_type.startswith("multipart/"):
        body = delivery.body
        for name, value in said.items():
            part = rf'(name="{name}"\r?\n\r?\n)[^\r\n]*'.encode()
            body, found = re.subn(part, rb"\g<1>" + value.encode(), body, count=1)
            if not found:
                raise Malformed(f"It has no part {name}.")
    else:
        kept = [pair for pair in delivery.body.split(b"&") if pair.partition(b"=")[0].decode("latin-1") not in FIELDS]
        body = b"&".join([*filter(None, kept), urlencode(said).encode()])
    return replace(delivery, body=body)


def wire(body: bytes) -> Post:
    """Captured mails are saved as their fields, events as they are sent."""
    saved = decode_object(body)
    return ({"content-type": JSON}, body) if "event-data" in saved or "signature" not in saved else form_post(saved)


REHEARSAL = Rehearsal({}, secret_of, sign=sign, wire=wire)
