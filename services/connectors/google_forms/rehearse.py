"""Requests of a form's Apps Script."""

from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "google-forms"))
