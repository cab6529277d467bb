"""Webhooks of Shopify, signed like it."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.shopify.webhook import SIGNATURES
from services.connectors.signatures.hmac_sha256 import base64_digest

secret_of = partial(derived_secret, "shopify")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {SIGNATURES[0]: base64_digest(delivery.body, secret_of(seed))})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
