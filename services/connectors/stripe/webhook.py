"""Stripe: an event about a payment (https://docs.stripe.com/api/events)."""

import hmac
from collections.abc import Iterator
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_fresh
from crm.connector_settings import Country
from crm.errors import Malformed, Refused
from crm.facts import DeliveryKept
from crm.scalars import Micros
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text
from services.connectors.stripe.activate import ApiKey
from services.connectors.stripe.objects import READERS


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an endpoint of a Stripe account."""

    token: ApiKey = ""
    test_mode: Annotated[bool, Meta(description="Count test payments as money. Only for a test workspace.")] = False
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
        why = kind if counts else f"{kind} in test mode"
        yield Report(id, "", delivery.received_at, partial(DeliveryKept, connector="stripe", kind=why))
        return
    changed_at = from_seconds(required_whole(event, "created"))
    for payment, fact in reader(thing, kind, changed_at, country_of(connection)):
        if not payment:
            raise Malformed(f"{kind} does not say which payment it is about.")
        yield Report(id, payment, changed_at, partial(fact, account=text(event, "account")))


WEBHOOK = Webhook(verify, parse)
