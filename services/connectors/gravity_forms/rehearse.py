"""Requests of the Webhooks add-on of Gravity Forms."""

from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "gravity-forms"))
