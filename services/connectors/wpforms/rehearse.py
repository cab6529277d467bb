"""Requests of the Webhooks add-on of WPForms, signed like it."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.signatures.hmac_sha256 import timed_signature
from services.connectors.signatures.php_json import signed_bytes
from services.connectors.wpforms.webhook import SIGNATURE

secret_of = partial(derived_secret, "wpforms")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    signature = timed_signature(signed_bytes(delivery), secret_of(seed), delivery.received_at // 1_000_000)
    return with_headers(delivery, {SIGNATURE: signature})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
