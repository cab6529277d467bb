"""Records of a FreeSWITCH exchange, with the password of HTTP Basic."""

import base64
from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers


def signed(delivery: Delivery, secret: str) -> Delivery:
    return with_headers(delivery, authorization=f"Basic {base64.b64encode(f'potik:{secret}'.encode()).decode()}")


REHEARSAL = Rehearsal({}, partial(derived_secret, "freeswitch"), signed=signed)
