"""Deliveries of Instagram, signed with the app's secret."""

from functools import partial

from crm.scalars import Micros
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret
from services.connectors.signatures.meta import SIGNATURE, meta_signature

secret_of = partial(derived_secret, "instagram")


def sign(seed: str, body: bytes, _at: Micros) -> Post:
    return {"content-type": JSON, SIGNATURE: meta_signature(body, secret_of(seed))}, body


REHEARSAL = Rehearsal({}, secret_of, sign=sign)
