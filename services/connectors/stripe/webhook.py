"""Stripe: an event about a payment (https://docs.stripe.com/api/events)."""

from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of
from crm.connector_settings import Country
from crm.errors import Malformed
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text
from services.connectors.payments import TestPayments
from services.connectors.repeats import kept
from services.connectors.signatures.hmac_sha256 import verify_timed
from services.connectors.stripe.activate import ApiKey
from services.connectors.stripe.objects import READERS, Event

SIGNATURE = "stripe-signature"


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an endpoint of a Stripe account."""

    token: ApiKey = ""
    test_mode: TestPayments = False
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks HMAC-SHA256 of "{t}.{body}", in one v1 or more; other schemes do not count."""
    verify_timed(delivery, connection.secret, SIGNATURE, delivery.body, "v1")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    event = decode_object(delivery.body)
    id, kind, thing = required(event, "id"), required(event, "type"), at(event, "data", "object")
    reader = READERS.get(text(thing, "object"))
    counts = connection.settings_as(Settings).test_mode or at(event, "livemode") is True
    if reader is None or not isinstance(thing, dict) or not counts:
        yield kept("stripe", kind if counts else f"{kind} in test mode", delivery, id)
        return
    changed_at = from_seconds(required_whole(event, "created"))
    for report in reader(thing, Event(id, kind, changed_at, text(event, "account"), country_of(connection))):
        if not report.sender:
            raise Malformed(f"{kind} does not say which payment it is about.")
        yield report


WEBHOOK = Webhook(verify, parse)
