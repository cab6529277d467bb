"""Status callbacks of Twilio, signed with the auth token."""

from functools import partial
from urllib.parse import parse_qsl

from crm.connector import Delivery
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers
from services.connectors.twilio.signature import sign
from services.connectors.twilio.webhook import TWIML


def signed(delivery: Delivery, secret: str) -> Delivery:
    fields = parse_qsl(delivery.body.decode("utf-8", "replace"), keep_blank_values=True)
    return with_headers(delivery, x_twilio_signature=sign(secret, delivery.url, fields))


REHEARSAL = Rehearsal({}, partial(derived_secret, "twilio"), TWIML.body, signed=signed)
