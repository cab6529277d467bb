"""The token that Google signs for a push of Pub/Sub, OpenID Connect with RS256
(https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions)."""

from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from crm.connector import Delivery, expect_equal
from crm.errors import Refused
from services.connectors.signatures.jwt import decoded, from_base64url

CERTS = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
SKEW = 300  # seconds


def verify_google(delivery: Delivery, audience: str, account: str) -> None:
    """`audience`: the URL that the subscription pushes to. `account`: the e-mail of its service account: anybody can
    have Google sign a token of their own account. Raises Refused."""
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    signed, _, signature = token.rpartition(".")
    if scheme.lower() != "bearer" or signed.count(".") != 1:
        raise Refused("The Authorization header has no token. Nothing was kept. Switch authentication on at Pub/Sub.")
    head, claims = map(decoded, signed.split("."))
    if head.get("alg") != "RS256" or not is_signed(key_of(delivery, head), signed, signature):
        raise Refused("The token is not signed with a key of Google's. Nothing was kept.")
    if claims.get("iss") not in ISSUERS or claims.get("email_verified") is not True:
        raise Refused("The token is none of a service account of Google's. Nothing was kept.")
    expect_equal(audience, str(claims.get("aud", "")), "audience of the token")
    expect_equal(account, str(claims.get("email", "")), "service account of the token")
    now = delivery.received_at // 1_000_000
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int or not issued - SKEW <= now <= expires + SKEW:
        raise Refused("The token has expired, or is of the future. Nothing was kept.")


def key_of(delivery: Delivery, head: dict[str, Any]) -> RSAPublicKey | None:
    keys = keys_in(delivery.keys.get(CERTS, ""))
    return keys.get(str(head.get("kid", "")))


@lru_cache(maxsize=8)
def keys_in(document: str) -> dict[str, RSAPublicKey]:
    """Returns the RSA keys of a JSON Web Key Set by their id."""
    try:
        listed = msgspec.json.decode(document).get("keys", []) if document else []
        return {
            key["kid"]: RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
            for key in listed
            if key.get("kty") == "RSA"
        }
    except (ValueError, KeyError, AttributeError, TypeError, msgspec.MsgspecError):
        return {}


def number(text: str) -> int:
    return int.from_bytes(from_base64url(text), "big")


def is_signed(key: RSAPublicKey | None, signed: str, signature: str) -> bool:
    try:
        if key is None:
            return False
        key.verify(from_base64url(signature), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
