"""Signed webhooks of Vonage."""

from functools import partial

from crm.connector import Delivery, digest
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.vonage.token import token

secret_of = partial(derived_secret, "vonage")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    claims: dict[str, object] = {
        "iat": delivery.received_at // 1_000_000,
        "jti": digest(delivery.body)[:32],
        "iss": "Vonage",
        "payload_hash": digest(delivery.body),
        "api_key": "a1b2c3d",
    }
    return with_headers(delivery, {"authorization": f"Bearer {token(secret_of(seed), claims)}"})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
