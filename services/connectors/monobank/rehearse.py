"""Invoices of monobank acquiring, signed with a key of our own in the bank's place."""

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crm.connector import Delivery
from services.connectors.rehearsal import JSON, Post, Rehearsal, json_bytes, with_post
from services.connectors.signatures.ecdsa import ALGORITHM

CAPTURED = "monobank-acquiring"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def keys(seed: str = "") -> tuple[ec.EllipticCurvePrivateKey, str]:
    """Returns the bank's key, and the secret of its connection: the same pair for one seed. For rehearsals only."""
    if seed:
        number = int.from_bytes(hashlib.sha512(seed.encode()).digest(), "big") % (P256_ORDER - 1) + 1
        key = ec.derive_private_key(number, ec.SECP256R1())
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key, base64.b64encode(pem).decode()


def invoice(key: ec.EllipticCurvePrivateKey, invoice: str, amount: int, /, **changes: Any) -> Post:
    """Returns an invoice of `amount` kopecks, paid unless `changes` say otherwise (status, modifiedDate, ...)."""
    fields = {
        "invoiceId": invoice,
        "status": "success",
        "amount": amount,
        "ccy": 980,
        "finalAmount": amount,
        "createdDate": "2026-10-05T09:00:00Z",
        "modifiedDate": "2026-10-05T09:01:00Z",
    }
    return signed(key, json_bytes(fields | changes))


def signed(key: ec.EllipticCurvePrivateKey, body: bytes) -> Post:
    signature = base64.b64encode(key.sign(body, ALGORITHM)).decode()
    return {"content-type": JSON, "x-sign": signature}, body


def receive_invoice(seed: str, id: str, amount_minor: int, reference: str) -> Post:
    return invoice(keys(seed)[0], id, amount_minor, reference=reference)


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(keys(seed)[0], delivery.body))


REHEARSAL = Rehearsal(
    {"receive_invoice": receive_invoice}, lambda seed: keys(seed)[1], sign=sign_delivery, captured=CAPTURED
)
