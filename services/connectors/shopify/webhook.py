"""Shopify: orders as they are made, edited, paid, given back, cancelled and deleted (https://shopify.dev/docs/api/webhooks).

The topic is in a header that nobody signs, so what a delivery is follows from its body.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.shared import OrderLine
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import from_iso
from services.connectors.formats.values import at, first, records, required, text, texts
from services.connectors.orders import (
    PolledShopSettings,
    Reading,
    deleted_order,
    delivery_of,
    order_report,
    within_second,
)
from services.connectors.repeats import kept
from services.connectors.signatures.hmac_sha256 import base64_digest

SIGNATURES = ("x-shopify-hmac-sha256", "shopify-hmac-sha256")  # the newer form has no x-
STATUSES = ("pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided")
FULFILMENTS = ("", "partial", "fulfilled")
UNPAID = ("pending", "authorized", "expired", "voided")
NAME = "customer.first_name customer.last_name | billing_address.first_name billing_address.last_name"
PAID = ("paid", "partially_refunded", "refunded")


class Settings(PolledShopSettings, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a shop."""

    test_orders: Annotated[bool, Meta(description="Count test orders. Only for a test workspace.")] = False
    shop: Annotated[
        str,
        Meta(description="The shop's address at Shopify: it is asked there.", examples=["my-shop.myshopify.com"]),
    ] = ""
    api_token: Annotated[
        str,
        Meta(
            description="Admin API access token (shpat_...) of an app that may read orders: those that no "
            "webhook brought are asked for with it. Empty: they are not."
        ),
    ] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    signature = next((found for name in SIGNATURES if (found := delivery.headers.get(name))), "")
    expect_equal(base64_digest(delivery.body, connection.secret), signature)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    order = decode_object(delivery.body)
    if order.keys() == {"id"}:
        yield deleted_order("shopify", required(order, "id"), delivery)
    elif "line_items" not in order or "financial_status" not in order:
        yield kept("shopify", "no order", delivery)
    elif at(order, "test") is True and not connection.settings_as(Settings).test_orders:
        yield kept("shopify", "test order", delivery)
    else:
        yield order_of(order, Reading(order, connection, text(order, "currency")))


def order_of(order: Tree, reading: Reading) -> Report:
    status, sent = text(order, "financial_status"), text(order, "fulfillment_status")
    total = reading.sum("current_total_price") or reading.sum("total_price")
    refunded = refunded_of(order, reading)
    received = paid_of(reading, status, refunded)
    parcels = records(order, "fulfillments")
    return order_report(
        "shopify",
        required(order, "id"),
        within_second(from_iso(required(order, "updated_at")), (STATUSES, status), (FULFILMENTS, sent)),
        reading,
        [sent, status],
        number=first(order, "name", "order_number").removeprefix("#"),
        cancelled=bool(text(order, "cancelled_at")),
        contact_key=text(order, "customer", "id") or None,
        name=text_at(order, NAME),
        phones=[text_at(order, place) for place in ("phone", "customer.phone", "billing_address.phone")],
        country=text(order, "billing_address", "country_code"),
        emails=[text_at(order, place) for place in ("email | contact_email", "customer.email")],
        total_minor=total,
        paid_minor=None if received is None or refunded is None else received + refunded,
        refunded_minor=refunded,
        lines=reading.lines("line_items", line_of, left_in),
        fields={
            "order_status": f"{status}, {sent or 'unfulfilled'}",
            "delivery": delivery_of(
                *(records(order, "shipping_lines"), "title", at(order, "shipping_address")),
                *("name", "phone", "address1", "address2", "zip", "city", "country"),
            ),
            "parcel_numbers": [number for parcel in parcels for number in texts(parcel, "tracking_numbers")],
            **texts_at(order, comment="note", order_tags="tags"),
        },
    )


def refunded_of(order: Tree, reading: Reading) -> int | None:
    """What went back: only transactions that succeeded are money."""
    every = (one for refund in records(order, "refunds") for one in records(refund, "transactions"))
    went = [one for one in every if (text(one, "kind"), text(one, "status")) == ("refund", "success")]
    return reading.given_back(went, "amount")


def paid_of(reading: Reading, status: str, refunded: int | None) -> int | None:
    """What the shop has of the order, refunds taken off; None where nobody can say."""
    if status in UNPAID:
        return 0
    total, outstanding = reading.sum("current_total_price"), reading.sum("total_outstanding")
    if total is not None and outstanding is not None:
        return max(0, total - outstanding)
    whole = reading.sum("total_price")
    if status in PAID and whole is not None and refunded is not None:
        return max(0, whole - refunded)
    reading.doubts.say(f"How much was paid is not known: the payment is {status!r}.")
    return None


def left_in(lines: list[Tree]) -> list[Tree]:
    """A line that was edited away or given back stays in the order with nothing left of it: it is left out, but for an
    order of which nothing is left."""
    return [line for line in lines if text(line, "current_quantity") != "0"] or lines


def line_of(reading: Reading, line: Tree) -> OrderLine:
    quantity = reading.quantity("quantity", of=line)
    now = reading.quantity("current_quantity", of=line)
    now = quantity if now in ("", "0") else now
    off = reading.sums(records(line, "discount_allocations"), "amount")
    if off and now != quantity:
        reading.doubts.say(f"The discount on {text(line, 'name')[:60]!r} is that of {quantity}, and {now} are left.")
    one = reading.sum("price", of=line)
    return reading.line(text(line, "id"), text(line, "sku"), text(line, "name"), now, one, off)


WEBHOOK = Webhook(verify, parse)
