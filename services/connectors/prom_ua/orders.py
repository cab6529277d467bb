"""What an order of Prom.ua says (https://public-api.docs.prom.ua, Orders)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report
from crm.shared import OrderLine
from crm.zones import zone
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_datetime
from services.connectors.formats.values import first, required, text, within
from services.connectors.orders import Reading, order_report, orders_in

# What the buyer pays through the marketplace; the status of anything else says nothing of money.
PAID, GIVEN_BACK = ("paid", "paid_out"), ("refunded", "returned")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    for order in orders_in(decode_object(delivery.body), "orders"):
        whole = within(order, "order")
        yield order_of(whole, delivery, Reading(whole, connection, "UAH"))


def order_of(order: Tree, delivery: Delivery, reading: Reading) -> Report:
    key, status = required(order, "id"), text(order, "status")
    changed = first(order, "date_modified", "last_modified")
    total = reading.sum("full_price")
    total = reading.sum("price") if total is None else total
    pay, parcel = text(order, "payment_data", "status"), text(order, "delivery_provider_data", "declaration_number")
    sent = texts_at(order, by="delivery_option.name", to="delivery_address")
    return order_report(
        "prom-ua",
        key,
        from_datetime(changed, zone("Europe/Kyiv")) if changed else delivery.received_at,
        reading,
        [status],
        # Answers come one after the other: of an order that does not say when it changed, the last one counts.
        "" if changed else str(delivery.received_at),
        number=key,
        cancelled=status == "canceled",
        contact_key=text(order, "client_id") or None,
        phones=[text(order, "phone")],
        emails=[text(order, "email")],
        total_minor=total,
        paid_minor=(total if pay in (*PAID, *GIVEN_BACK) else 0) if pay else None,
        refunded_minor=(total or 0) if pay in GIVEN_BACK else 0,
        lines=reading.lines("products", line_of),
        fields={
            "delivery": ", ".join(filter(None, sent.values())),
            "parcel_numbers": [parcel] if parcel else [],
            **texts_at(order, order_status="status_name | status", payment_method="payment_option.name"),
            **texts_at(order, comment="client_notes"),
        },
        **texts_at(order, name="client_last_name client_first_name client_second_name"),
    )


def line_of(reading: Reading, line: Tree) -> OrderLine:
    quantity, one = reading.quantity("quantity", of=line), reading.sum("price", of=line)
    found = reading.line(text(line, "id"), first(line, "sku", "external_id"), text(line, "name"), quantity, one)
    total = reading.sum("total_price", of=line)
    if total is None or found.total_minor == total:
        return found
    off = (found.total_minor or 0) - total if found.total_minor is not None else 0
    return OrderLine(found.key, found.sku, found.name, quantity, one, max(0, off), total)
