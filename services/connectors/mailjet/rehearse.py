"""Mails that Mailjet hands on, with the password of their URL."""

from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.signatures.basic import basic

secret_of = partial(derived_secret, "mailjet")


def sign(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, basic(secret_of(seed)))


REHEARSAL = Rehearsal({}, secret_of, sign=sign)
