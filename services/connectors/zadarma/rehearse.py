"""Webhooks of Zadarma, signed with the API secret."""

from functools import partial

from crm.connector import Delivery
from services.connectors.formats.bodies import read_body
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.zadarma.webhook import sign

secret_of = partial(derived_secret, "zadarma")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    """Raises Malformed for a body without fields: it signs these."""
    return with_headers(delivery, {"signature": sign(secret_of(seed), read_body(delivery, as_sent=True).tree)})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
