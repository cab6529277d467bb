"""Signatures with HMAC-SHA256 in the forms in which form builders and shops send them."""

import base64
import hashlib
import hmac

from crm.connector import Delivery, expect_equal, expect_fresh
from crm.errors import Malformed, Refused
from crm.scalars import Micros
from services.connectors.formats.times import from_seconds


def base64_digest(body: bytes, secret: str) -> str:
    """Returns the HMAC of the body in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def base64_signature(body: bytes, secret: str) -> str:
    """Returns `sha256=` and the HMAC of the body in base64."""
    return f"sha256={base64_digest(body, secret)}"


def timed_signature(signed: bytes, secret: str, seconds: int) -> str:
    """Returns `t=<unix seconds>,v=<HMAC of "t.body" in hex>`."""
    mac = hmac.new(secret.encode(), b"%d.%b" % (seconds, signed), hashlib.sha256).hexdigest()
    return f"t={seconds},v={mac}"


def signed_at(header: str) -> Micros:
    """Returns the time in a timed signature. Raises Refused."""
    sent = dict(part.partition("=")[::2] for part in header.split(",")).get("t", "")
    if not (sent.isascii() and sent.isdecimal() and len(sent) <= 12):
        raise Refused("The signature does not say when it was made. Nothing was kept.")
    try:
        return from_seconds(int(sent))
    except Malformed as error:
        raise Refused(f"{error} Nothing was kept.") from None


def verify_timed(delivery: Delivery, secret: str, header: str, signed: bytes) -> None:
    """Checks a timed signature of `signed` and its time. Raises Refused."""
    given = delivery.headers.get(header, "")
    at = signed_at(given)
    seconds = at // 1_000_000
    value = dict(part.partition("=")[::2] for part in given.split(",")).get("v", "")
    expect_equal(timed_signature(signed, secret, seconds).partition("v=")[2], value)
    expect_fresh(at, delivery.received_at)
