"""Requests of Contact Form 7, as WordPress sends them."""

from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "cf7"))
