"""Stripe: an event about a payment (https://docs.stripe.com/api/events)."""

import hmac
from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_fresh
from crm.connector_settings import Country
from crm.errors import Malformed, Refused
from crm.scalars import Micros
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text
from services.connectors.payments import TestPayments
from services.connectors.repeats import kept
from services.connectors.stripe.activate import ApiKey
from services.connectors.stripe.objects import READERS, Event


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an endpoint of a Stripe account."""

    token: ApiKey = ""
    test_mode: TestPayments = False
    country: Country = ""


def sign(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, "sha256").hexdigest()


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks HMAC-SHA256 of "{t}.{body}". While a secret is rolled there are several v1; other schemes do not count."""
    parts = [part.partition("=") for part in delivery.headers.get("stripe-signature", "").split(",")]
    moment = next((value.strip() for name, _, value in parts if name.strip() == "t"), "")
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= 11):
        raise Refused("The signature does not say when it was made. Nothing was kept.")
    expected = sign(connection.secret, moment, delivery.body).encode()
    given = [value.strip().encode("utf-8", "replace") for name, _, value in parts if name.strip() == "v1"]
    if not any([hmac.compare_digest(expected, one) for one in given]):  # a list: all are compared, whichever fits
        raise Refused("No signature v1 matches. Nothing was kept. Check the signing secret of this connection.")
    expect_fresh(Micros(int(moment) * 1_000_000), delivery.received_at)


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
