"""Records of a FreeSWITCH exchange, with the password of HTTP Basic."""

import base64
from functools import partial

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers

secret_of = partial(derived_secret, "freeswitch")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(
        delivery, {"authorization": f"Basic {base64.b64encode(f'potik:{secret_of(seed)}'.encode()).decode()}"}
    )


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
