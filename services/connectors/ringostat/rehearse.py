"""Webhooks of Ringostat, with the token in their URL."""

from functools import partial

from msgspec.structs import replace

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret

secret_of = partial(derived_secret, "ringostat")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    others = [part for part in delivery.query.split("&") if part and not part.startswith("token=")]
    return replace(delivery, query="&".join([f"token={secret_of(seed)}", *others]))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
