"""Requests of Tilda, as its servers send them."""

import json
from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret, php_post

REHEARSAL = Rehearsal({}, partial(derived_secret, "tilda"), wire=lambda body: php_post(json.loads(body)))
