"""Vonage's signed webhooks: a JWT of the body's hash (https://developer.vonage.com/getting-started/concepts/webhooks)."""

import hmac

import msgspec

from crm.connector import Connection, Delivery, digest, expect_equal, expect_fresh
from crm.errors import Refused
from crm.scalars import Micros
from services.connectors.signatures.jwt import decoded, encoded

HEADER = b'{"alg":"HS256","typ":"JWT"}'


def sign(secret: str, signed: str) -> str:
    return encoded(hmac.digest(secret.encode(), signed.encode("utf-8", "replace"), "sha256"))


def token(secret: str, claims: dict[str, object]) -> str:
    signed = f"{encoded(HEADER)}.{encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{sign(secret, signed)}"


def verify(delivery: Delivery, connection: Connection) -> None:
    """Raises Refused for a token that is not ours, older than five minutes, or of another body."""
    scheme, _, given = delivery.headers.get("authorization", "").partition(" ")
    signed, _, mac = given.rpartition(".")
    if scheme.lower() != "bearer" or signed.count(".") != 1:
        raise Refused("The Authorization header has no token. Nothing was kept. Switch signed webhooks on at Vonage.")
    expect_equal(sign(connection.secret, signed), mac)
    head, claims = map(decoded, signed.split("."))
    issued_at = claims.get("iat")
    if head.get("alg") != "HS256" or type(issued_at) is not int:
        raise Refused("The token is none of HS256 with a time. Nothing was kept.")
    expect_fresh(Micros(issued_at * 1_000_000), delivery.received_at)
    expect_equal(digest(delivery.body), str(claims.get("payload_hash", "")).lower(), "hash of the body")
