"""Webhooks of Jivo, which proves nothing but that it knows the address."""

from functools import partial

from crm.scalars import Micros
from services.connectors.jivo.webhook import ACCEPTED
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret


def sign(_seed: str, body: bytes, _at: Micros) -> Post:
    return {"content-type": JSON}, body


REHEARSAL = Rehearsal({}, partial(derived_secret, "jivo"), ACCEPTED.body, sign=sign)
