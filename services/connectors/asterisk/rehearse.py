"""Records of an Asterisk exchange, with the secret in a header."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers


def signed(delivery: Delivery, secret: str) -> Delivery:
    return with_headers(delivery, authorization=f"Bearer {secret}")


REHEARSAL = Rehearsal({}, partial(derived_secret, "asterisk"), signed=signed)
