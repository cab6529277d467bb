"""Notices of Pub/Sub, with a token as Google signs it."""

import json
from functools import lru_cache, partial

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, json_bytes, with_headers
from services.connectors.signatures.google_token import CERTS
from services.connectors.signatures.jwt import encoded

secret_of = partial(derived_secret, "gmail")


def settings(seed: str) -> dict[str, str]:
    return {"service_account": f"push-{secret_of(seed)[:8]}@project.iam.gserviceaccount.com"}


@lru_cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@lru_cache
def key_set() -> str:
    numbers = private_key().public_key().public_numbers()
    key = {
        name: encoded(n.to_bytes((n.bit_length() + 7) // 8, "big")) for name, n in (("n", numbers.n), ("e", numbers.e))
    }
    return json.dumps({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "rehearsal", **key}]})


def token(claims: dict[str, object]) -> str:
    head = {"alg": "RS256", "kid": "rehearsal", "typ": "JWT"}
    signed = f"{encoded(json_bytes(head))}.{encoded(json_bytes(claims))}"
    return f"{signed}.{encoded(private_key().sign(signed.encode(), PKCS1v15(), SHA256()))}"


def sign(delivery: Delivery, seed: str) -> Delivery:
    at = delivery.received_at // 1_000_000
    claims = {
        "iss": "https://accounts.google.com",
        "aud": delivery.base + delivery.path,
        "email": settings(seed)["service_account"],
        "email_verified": True,
        "iat": at,
        "exp": at + 3_600,
    }
    return replace(with_headers(delivery, {"authorization": f"Bearer {token(claims)}"}), keys={CERTS: key_set()})


REHEARSAL = Rehearsal({}, secret_of, sign=sign, settings=settings)
