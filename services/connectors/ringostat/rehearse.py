"""Webhooks of Ringostat, with the token in their URL."""

from functools import partial

from msgspec.structs import replace

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret


def signed(delivery: Delivery, secret: str) -> Delivery:
    return replace(delivery, query="&".join(filter(None, (f"token={secret}", delivery.query))))


REHEARSAL = Rehearsal({}, partial(derived_secret, "ringostat"), signed=signed)
