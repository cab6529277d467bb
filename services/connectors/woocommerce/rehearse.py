"""Webhooks of WooCommerce, signed like it."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.signatures.hmac_sha256 import base64_digest
from services.connectors.woocommerce.webhook import SIGNATURE

secret_of = partial(derived_secret, "woocommerce")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {SIGNATURE: base64_digest(delivery.body, secret_of(seed))})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, settings=lambda _seed: {"shop": "shop.example.com"})
