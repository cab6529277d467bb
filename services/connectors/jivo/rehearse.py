"""Webhooks of Jivo, which proves nothing but that it knows the address."""

from functools import partial

from services.connectors.jivo.webhook import ACCEPTED
from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "jivo"), ACCEPTED.body)
