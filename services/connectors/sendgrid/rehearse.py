"""Mails that SendGrid hands on, signed where the connection has its public key."""

import base64
from functools import lru_cache, partial

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crm.connector import Delivery
from services.connectors.formats.exact_json import decode_object
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, with_headers
from services.connectors.sendgrid.webhook import SIGNATURE, TIMESTAMP
from services.connectors.signatures.ecdsa import ALGORITHM

secret_of = partial(derived_secret, "sendgrid")


@lru_cache
def key_of(seed: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(secret_of(seed)[:60], 16), ec.SECP256R1())


def settings(seed: str) -> dict[str, str]:
    public = key_of(seed).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"public_key": base64.b64encode(public).decode()}


@lru_cache(maxsize=4_096)  # ECDSA signs the same otherwise each time
def signature(seed: str, signed: bytes) -> str:
    return base64.b64encode(key_of(seed).sign(signed, ALGORITHM)).decode()


def sign(delivery: Delivery, seed: str) -> Delivery:
    at = str(delivery.received_at // 1_000_000)
    return with_headers(delivery, {TIMESTAMP: at, SIGNATURE: signature(seed, at.encode() + delivery.body)})


def multipart(fields: dict[str, str]) -> Post:
    parts = (f'--xYzZY\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    return {"content-type": "multipart/form-data; boundary=xYzZY"}, f"{''.join(parts)}--xYzZY--\r\n".encode()


def wire(body: bytes) -> Post:
    """Captured mails are saved as their fields, events as they are sent."""
    if body.lstrip()[:1] == b"[":
        return {"content-type": JSON}, body
    return multipart({name: str(value) for name, value in decode_object(body).items()})


REHEARSAL = Rehearsal({}, secret_of, sign=sign, settings=settings, wire=wire)
