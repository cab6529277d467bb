"""Standard Webhooks (https://www.standardwebhooks.com), also with Svix's headers: HMAC-SHA256 of id, time and body."""

import base64
import binascii
import hmac

from crm.connector import Connection, Delivery, expect_fresh
from crm.errors import Refused
from services.connectors.signatures.hmac_sha256 import moment_signed

PREFIX = "whsec_"


def verify_standard(delivery: Delivery, connection: Connection) -> None:
    """Raises Refused. One of several signatures is enough: while a secret is rotated, there is one with each."""
    get = delivery.headers.get
    id, at, given = (get(f"svix-{name}", get(f"webhook-{name}", "")) for name in ("id", "timestamp", "signature"))
    sent_at = moment_signed(at)
    expected = signature(key_of(connection.secret), id, at, delivery.body)
    if not any([hmac.compare_digest(expected.encode(), one.encode("utf-8", "replace")) for one in given.split(" ")]):
        raise Refused("The signature does not match. Nothing was kept. Check the secret of this connection.")
    expect_fresh(sent_at, delivery.received_at)


def key_of(secret: str) -> bytes:
    """Returns the key of `whsec_...`. Raises Refused."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Refused(f"The secret of this connection is not {PREFIX} and base64. Nothing was kept. Set it.")
    return key


def signature(key: bytes, id: str, at: str, body: bytes) -> str:
    mac = hmac.digest(key, f"{id}.{at}.".encode("utf-8", "replace") + body, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}"
