"""Mails as a mail server posts them."""

from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret

REHEARSAL = Rehearsal({}, partial(derived_secret, "smtp"))
