"""Records of an Asterisk exchange, with the secret in a header."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers

secret_of = partial(derived_secret, "asterisk")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {"authorization": f"Bearer {secret_of(seed)}"})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery, captured="asterisk-ami asterisk-ari")
