"""Requests of the script /form.js."""

from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "site-form"))
