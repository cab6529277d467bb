"""Requests of Elementor's form widget."""

import json
from functools import partial

from services.connectors.rehearsal import Rehearsal, derived_secret, php_post

REHEARSAL = Rehearsal({}, partial(derived_secret, "elementor"), wire=lambda body: php_post(json.loads(body)))
