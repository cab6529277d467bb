"""Status callbacks of Twilio, signed with the auth token."""

from functools import partial
from urllib.parse import parse_qsl

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.twilio.signature import sign
from services.connectors.twilio.webhook import TWIML

secret_of = partial(derived_secret, "twilio")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    fields = parse_qsl(delivery.body.decode("utf-8", "replace"), keep_blank_values=True)
    return with_headers(delivery, {"x-twilio-signature": sign(secret_of(seed), delivery.url, fields)})


REHEARSAL = Rehearsal({}, secret_of, TWIML.body, sign=sign_delivery)
