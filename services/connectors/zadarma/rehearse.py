"""Webhooks of Zadarma, signed with the API secret."""

from functools import partial

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.bodies import read_body
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.zadarma.webhook import sign


def signed(delivery: Delivery, secret: str) -> Delivery:
    try:
        return with_headers(delivery, signature=sign(secret, read_body(delivery, as_sent=True).tree))
    except Malformed:
        return delivery


REHEARSAL = Rehearsal({}, partial(derived_secret, "zadarma"), signed=signed)
