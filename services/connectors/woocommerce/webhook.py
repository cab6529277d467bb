"""WooCommerce: orders as they are made, changed, given back and deleted
(https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks). What a delivery is follows from its body: the
header with the topic is not signed."""

import html
import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import OK, Answer, Connection, Delivery, Report, Webhook, expect_equal
from crm.shared import OrderLine
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_iso
from services.connectors.formats.values import at, first, records, required, text
from services.connectors.orders import (
    PolledShopSettings,
    Reading,
    deleted_order,
    delivery_of,
    order_report,
    within_second,
    worth,
)
from services.connectors.repeats import kept
from services.connectors.signatures.hmac_sha256 import base64_digest

SIGNATURE = "x-wc-webhook-signature"
PING = re.compile(rb"webhook_id=[0-9]{1,20}")  # sent once without a signature, when the webhook is saved
DRAFTS = ("checkout-draft", "auto-draft")
# As an order goes on: the shop's clock has whole seconds, and of two states of one second the later one counts.
STATUSES = ("pending", "failed", "on-hold", "processing", "completed", "cancelled", "refunded", "trash")


class Settings(PolledShopSettings, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a shop."""

    shop: Annotated[
        str,
        Meta(
            description="The shop's address. It is a part of its orders' keys, as each shop counts its orders from 1.",
            examples=["shop.example.com"],
        ),
    ]
    api_key: Annotated[
        str,
        Meta(
            description="Consumer key and secret of the REST API with a colon between them: orders that no webhook "
            "brought are asked for with it. Empty: they are not."
        ),
    ] = ""


def handshake(delivery: Delivery, _connection: Connection) -> Answer | None:
    return OK if delivery.method == "POST" and PING.fullmatch(delivery.body.strip()) else None


def verify(delivery: Delivery, connection: Connection) -> None:
    expect_equal(base64_digest(delivery.body, connection.secret), delivery.headers.get(SIGNATURE, ""))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    order, shop = decode_object(delivery.body), shop_of(connection.settings_as(Settings))
    if order.keys() == {"id"}:
        yield deleted_order("woocommerce", f"{shop}/{required(order, 'id')}", delivery)
    elif "line_items" not in order or "order_key" not in order:
        yield kept("woocommerce", "no order", delivery)
    elif text(order, "status") in DRAFTS:
        yield kept("woocommerce", "draft", delivery)
    else:
        yield order_of(order, shop, Reading(order, connection, text(order, "currency")))


def shop_of(settings: Settings) -> str:
    """The shop's address without https://."""
    shop = settings.shop.strip().lower().rpartition("://")
    return shop[2].rstrip("/")


def order_of(order: Tree, shop: str, reading: Reading) -> Report:
    status, buyer = text(order, "status"), text(order, "customer_id")
    refunded = reading.given_back(records(order, "refunds"), "total")
    total = reading.sum("total")
    changed = first(order, "date_modified_gmt", "date_created_gmt")
    return order_report(
        "woocommerce",
        f"{shop}/{required(order, 'id')}",
        within_second(from_iso(changed or required(order, "date_modified_gmt")), (STATUSES, status)),
        reading,
        [status],
        cancelled=status in ("cancelled", "trash"),
        contact_key=f"{shop}/{buyer}" if buyer not in ("", "0") else None,
        phones=[text(order, "billing", "phone")],
        country=text(order, "billing", "country"),
        emails=[text(order, "billing", "email")],
        total_minor=worth(total, refunded),
        paid_minor=total if first(order, "date_paid_gmt", "date_paid") else 0,
        refunded_minor=refunded,
        lines=reading.lines("line_items", line_of),
        fields={
            "delivery": delivery_of(
                *(records(order, "shipping_lines"), "method_title", at(order, "shipping")),
                *("first_name", "last_name", "phone", "address_1", "address_2", "postcode", "city", "state", "country"),
            ),
            "parcel_numbers": parcels(order),
            **texts_at(order, order_status="status", payment_method="payment_method_title", comment="customer_note"),
        },
        **texts_at(order, number="number | id", name="billing.first_name billing.last_name"),
    )


def line_of(reading: Reading, line: Tree) -> OrderLine:
    """The shop tells sums of the line; the price of one is that of a whole number of minor units, or not known."""
    quantity = reading.quantity("quantity", of=line)
    before, total = reading.sum("subtotal", of=line), reading.sum("total", of=line)
    one = None
    if before is not None and quantity.isdecimal() and int(quantity) and before % int(quantity) == 0:
        one = before // int(quantity)
    name = html.unescape(text(line, "name"))
    return reading.line_of_sums(text(line, "id"), text(line, "sku"), name, quantity, one, before, total)


def parcels(order: Tree) -> list[str]:
    """As the plug-in Shipment Tracking keeps them."""
    kept = (one for one in records(order, "meta_data") if text(one, "key") == "_wc_shipment_tracking_items")
    return [number for one in kept for parcel in records(one, "value") if (number := text(parcel, "tracking_number"))]


WEBHOOK = Webhook(verify, parse, handshake=handshake)
