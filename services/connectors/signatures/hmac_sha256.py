"""Signatures with HMAC-SHA256 in the forms in which form builders and shops send them."""

import base64
import hashlib
import hmac

from crm.connector import Delivery, expect_fresh
from crm.errors import Refused
from crm.scalars import Micros


def base64_digest(body: bytes, secret: str) -> str:
    """Returns the HMAC of the body in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def base64_signature(body: bytes, secret: str) -> str:
    """Returns `sha256=` and the HMAC of the body in base64."""
    return f"sha256={base64_digest(body, secret)}"


def hex_digest(body: bytes, secret: str) -> str:
    """Returns the HMAC of the body in hex."""
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def moment_signed(text: str) -> Micros:
    """Reads the time that a vendor signs with a delivery, in seconds since 1970. Raises Refused."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise Refused("The signature does not say when it was made. Nothing was kept.")
    return Micros(int(text) * 1_000_000)


def timed_signature(signed: bytes, secret: str, seconds: int, mark: str = "v") -> str:
    """Returns `t=<unix seconds>,v=<HMAC of "t.body" in hex>`."""
    return f"t={seconds},{mark}={hex_digest(b'%d.%b' % (seconds, signed), secret)}"


def signed_at(header: str) -> Micros:
    """Returns the time in a timed signature. Raises Refused."""
    return moment_signed(next(iter(_marked(header, "t")), ""))


def verify_timed(delivery: Delivery, secret: str, header: str, signed: bytes, mark: str = "v") -> None:
    """Checks a timed signature of `signed` and its time. One of several is enough: while a secret is changed, there is
    one with each. Raises Refused."""
    given = delivery.headers.get(header, "")
    at = signed_at(given)
    expected = hex_digest(f"{_marked(given, 't')[0]}.".encode() + signed, secret).encode()
    values = [value.encode("utf-8", "replace") for value in _marked(given, mark)]
    if not any([hmac.compare_digest(expected, one) for one in values]):  # a list: all are compared, whichever fits
        raise Refused("The signature does not match. Nothing was kept. Check the secret of this connection.")
    expect_fresh(at, delivery.received_at)


def _marked(header: str, mark: str) -> list[str]:
    parts = (part.partition("=") for part in header.split(","))
    return [value.strip() for name, _, value in parts if name.strip() == mark]
