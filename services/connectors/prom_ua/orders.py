"""What an order of Prom.ua says (https://public-api.docs.prom.ua, Orders)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, country_of
from crm.shared import OrderLine
from crm.zones import zone
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import from_datetime
from services.connectors.formats.values import at, first, records, required, text
from services.connectors.orders import (
    Reading,
    ShopSettings,
    emails_of,
    fields_of,
    full_name,
    order_report,
    orders_in,
    phones_of,
)

# What the buyer pays through the marketplace; the status of anything else says nothing of money.
PAID, GIVEN_BACK = ("paid", "paid_out"), ("refunded", "returned")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body, settings = decode_object(delivery.body), connection.settings_as(ShopSettings)
    for order in orders_in(body, "orders"):
        whole = at(order, "order")
        yield order_of(whole if isinstance(whole, dict) else order, delivery, connection, settings)


def order_of(order: Tree, delivery: Delivery, connection: Connection, settings: ShopSettings) -> Report:
    reading, key = Reading(order, "UAH"), required(order, "id")
    changed = first(order, "date_modified", "last_modified")
    status, payment, sent = text(order, "status"), at(order, "payment_data"), at(order, "delivery_provider_data")
    total = reading.sum("full_price")
    total = reading.sum("price") if total is None else total
    pay = text(payment, "status")
    names = (text(order, name) for name in ("client_last_name", "client_first_name", "client_second_name"))
    return order_report(
        "prom-ua",
        key,
        from_datetime(changed, zone("Europe/Kyiv")) if changed else delivery.received_at,
        reading,
        settings,
        [status],
        # Answers come one after the other: of an order that does not say when it changed, the last one counts.
        "" if changed else str(delivery.received_at),
        number=key,
        cancelled=status == "canceled",
        contact_key=text(order, "client_id") or None,
        name=full_name(*names),
        phones=phones_of(country_of(connection), text(order, "phone")),
        emails=emails_of(text(order, "email")),
        total_minor=total,
        paid_minor=(total if pay in (*PAID, *GIVEN_BACK) else 0) if pay else None,
        refunded_minor=(total or 0) if pay in GIVEN_BACK else 0,
        lines=tuple(line_of(reading, line, place) for place, line in enumerate(records(order, "products"), 1)),
        fields=fields_of(
            order_status=first(order, "status_name", "status"),
            payment_method=text(order, "payment_option", "name"),
            delivery=", ".join(filter(None, (text(order, "delivery_option", "name"), text(order, "delivery_address")))),
            parcel_numbers=[number] if (number := text(sent, "declaration_number")) else [],
            comment=text(order, "client_notes"),
        ),
    )


def line_of(reading: Reading, line: Tree, place: int) -> OrderLine:
    quantity, one = reading.quantity("quantity", of=line), reading.sum("price", of=line)
    found = reading.line(
        text(line, "id") or str(place), first(line, "sku", "external_id"), text(line, "name"), quantity, one
    )
    total = reading.sum("total_price", of=line)
    if total is None or found.total_minor == total:
        return found
    off = (found.total_minor or 0) - total if found.total_minor is not None else 0
    return OrderLine(found.key, found.sku, found.name, quantity, one, max(0, off), total)
