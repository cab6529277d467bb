"""Deliveries of WhatsApp, signed with the app's secret."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.signatures.meta import SIGNATURE, meta_signature

secret_of = partial(derived_secret, "whatsapp")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {SIGNATURE: meta_signature(delivery.body, secret_of(seed))})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
