"""Deliveries of WhatsApp, signed with the app's secret."""

from functools import partial

from crm.connector import Delivery, digest
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import text
from services.connectors.rehearsal import Rehearsal, derived_secret, json_bytes, with_headers
from services.connectors.signatures.meta import SIGNATURE, meta_signature

secret_of = partial(derived_secret, "whatsapp")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {SIGNATURE: meta_signature(delivery.body, secret_of(seed))})


def take(path: str, body: bytes) -> tuple[bytes, tuple[str, str]] | None:
    if not path.endswith("/messages"):
        return None
    sent = decode_object(body)
    answer = {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{digest(body)[:24]}"}]}
    return json_bytes(answer), (text(sent, "to") or text(sent, "recipient"), text(sent, "text", "body"))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, take=take, sends={"token": "demo"})
