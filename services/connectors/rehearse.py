"""Speaking like the vendors, signed and in their exact form: for the demo, the benchmark and the tests."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.connectors.formats.bodies import URLENCODED
from services.connectors.liqpay.webhook import sign
from services.connectors.signatures.ecdsa import ALGORITHM

Post = tuple[dict[str, str], bytes]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def keys(seed: str = "") -> tuple[ec.EllipticCurvePrivateKey, str]:
    """The bank's key, and the secret of its connection. A seed gives the same pair each time: for rehearsals only."""
    if seed:
        number = int.from_bytes(hashlib.sha512(seed.encode()).digest(), "big") % (P256_ORDER - 1) + 1
        key = ec.derive_private_key(number, ec.SECP256R1())
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key, base64.b64encode(pem).decode()


def form(fields: Mapping[str, object], token: str = "") -> Post:
    """A browser's POST; `token` for a connection whose settings ask for one."""
    return {"content-type": URLENCODED} | ({"x-form-token": token} if token else {}), urlencode(fields).encode()


def json_form(fields: Mapping[str, object]) -> Post:
    """A form that a page's script sends: values keep their types."""
    return {"content-type": "application/json"}, _json(fields)


def monobank_invoice(key: ec.EllipticCurvePrivateKey, invoice: str, amount: int, /, **changes: Any) -> Post:
    """An invoice of `amount` kopecks, paid unless `changes` say otherwise (status, modifiedDate, reference …)."""
    told = {
        "invoiceId": invoice,
        "status": "success",
        "amount": amount,
        "ccy": 980,
        "finalAmount": amount,
        "createdDate": "2026-10-05T09:00:00Z",
        "modifiedDate": "2026-10-05T09:01:00Z",
    }
    return monobank_signed(key, _json(told | changes))


def monobank_signed(key: ec.EllipticCurvePrivateKey, body: bytes) -> Post:
    signature = base64.b64encode(key.sign(body, ALGORITHM)).decode()
    return {"content-type": "application/json", "x-sign": signature}, body


def monobank_statement(item: str, amount: int, /, **changes: Any) -> Post:
    """A line of the statement of a personal account, in kopecks: money in is positive."""
    line = {"id": item, "time": 1791190860, "hold": False, "amount": amount, "operationAmount": amount} | changes
    data = {"account": "rehearsal", "statementItem": {"currencyCode": 980, "description": ""} | line}
    return {"content-type": "application/json"}, _json({"type": "StatementItem", "data": data})


def liqpay_callback(private_key: str, payment: int, amount: str, algorithm: str = "sha1", /, **changes: Any) -> Post:
    """A payment of `amount` hryvnias ("54.10"), successful unless `changes` say otherwise (status, order_id …)."""
    told = {"payment_id": payment, "status": "success", "amount": amount, "currency": "UAH", "end_date": 1791190860000}
    return liqpay_signed(private_key, _json(told | changes), algorithm)


def liqpay_signed(private_key: str, payment: bytes, algorithm: str = "sha1") -> Post:
    data = base64.b64encode(payment).decode()
    return form({"data": data, "signature": sign(private_key, data, algorithm)})


def binotel_call(kind: str, call: int, number: str, /, **changes: Any) -> Post:
    """`kind` is receivedTheCall, answeredTheCall, hangupTheCall or apiCallCompleted (its details in brackets)."""
    told: dict[str, object] = {"generalCallID": call, "callType": 0, "companyID": 1, "externalNumber": number} | changes
    if kind == "apiCallCompleted":
        told = {f"callDetails[{name}]": value for name, value in told.items()}
    return form({"requestType": kind, **told})


def telegram_message(secret: str, update: int, chat: int, text: str = "", /, **changes: Any) -> Post:
    """A private message of the chat's owner; `changes` are its other fields (contact, photo, edit_date …)."""
    person = {"id": chat, "is_bot": False, "first_name": changes.pop("first_name", "Олена")}
    message = {
        "message_id": update,
        "from": person,
        "chat": {**person, "type": "private"},
        "date": 1791190860,
        **({"text": text} if text else {}),
        **changes,
    }
    kind = "edited_message" if "edit_date" in changes else "message"
    return telegram_signed(secret, _json({"update_id": update, kind: message}))


def telegram_signed(secret: str, body: bytes) -> Post:
    return {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret}, body


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
