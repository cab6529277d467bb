"""Events of Resend, signed like Svix does."""

import base64
from hashlib import sha256

from crm.connector import Delivery, digest
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import text, texts
from services.connectors.rehearsal import Rehearsal, derived_secret, json_bytes, with_headers
from services.connectors.signatures.standard_webhooks import PREFIX, key_of, signature


def secret_of(seed: str) -> str:
    return PREFIX + base64.b64encode(bytes.fromhex(derived_secret("resend", seed))).decode()


def sign(delivery: Delivery, seed: str) -> Delivery:
    id, at = f"msg_{sha256(delivery.body).hexdigest()[:24]}", str(delivery.received_at // 1_000_000)
    proof = signature(key_of(secret_of(seed)), id, at, delivery.body)
    return with_headers(delivery, {"svix-id": id, "svix-timestamp": at, "svix-signature": proof})


def take(path: str, body: bytes) -> tuple[bytes, tuple[str, str]] | None:
    if not path.endswith("/emails"):
        return None
    sent = decode_object(body)
    return json_bytes({"id": digest(body)[:36]}), (texts(sent, "to")[0], text(sent, "text"))


KEYS = {"reply_from": "Shop <shop@example.com>", "api_key": "re_demo"}
REHEARSAL = Rehearsal({}, secret_of, sign=sign, take=take, sends=KEYS)
