"""What an order of Rozetka says (https://api-seller.rozetka.com.ua/apidoc, Orders)."""

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
    fields_of,
    order_report,
    orders_in,
    phones_of,
)

UNSUCCESSFUL = "3"  # the group of all statuses in which an order was cancelled, or came back
PAID = ("paid", "success")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body, settings = decode_object(delivery.body), connection.settings_as(ShopSettings)
    content = at(body, "content")
    for order in orders_in(content if isinstance(content, dict) else body, "orders"):
        yield order_of(order, connection, settings)


def order_of(order: Tree, connection: Connection, settings: ShopSettings) -> Report:
    reading, key = Reading(order, "UAH"), required(order, "id")
    status, sent, payment = text(order, "status"), at(order, "delivery"), text(order, "status_payment", "name")
    total = reading.sum("cost_with_discount")
    total = reading.sum("amount_with_discount") if total is None else total
    lines = at(order, "purchases")
    buyer = at(order, "user_title") or at(order, "user")
    return order_report(
        "rozetka",
        key,
        from_datetime(first(order, "changed", "created") or required(order, "changed"), zone("Europe/Kyiv")),
        reading,
        settings,
        [status],
        number=key,
        cancelled=text(order, "status_group") == UNSUCCESSFUL,
        contact_key=text(order, "user", "id") or None,
        name=first(buyer, "full_name", "contact_fio"),
        phones=phones_of(country_of(connection), text(order, "user_phone")),
        total_minor=total,
        paid_minor=(total if payment in PAID else 0) if payment else None,
        lines=tuple(line_of(reading, line) for line in records(order, "purchases")) if lines is not None else None,
        fields=fields_of(
            order_status=first(at(order, "status_data"), "name_ua", "name") or status,
            payment_method=text(order, "payment_type_name"),
            delivery=address(sent),
            parcel_numbers=[number] if (number := text(order, "ttn")) else [],
            comment=text(order, "comment"),
            seller_comment=text(order, "current_seller_comment"),
        ),
    )


def line_of(reading: Reading, line: Tree) -> OrderLine:
    """`cost` is what the line costs, `price` what one does; both before the discount."""
    item, quantity = at(line, "item"), reading.quantity("quantity", of=line)
    one, before, total = (reading.sum(name, of=line) for name in ("price", "cost", "cost_with_discount"))
    off = before - total if before is not None and total is not None else 0
    sku = first(item, "price_offer_id", "article") or text(line, "item_id")
    return OrderLine(
        required(line, "id"), sku, text(line, "item_name") or text(item, "name"), quantity, one, off, total
    )


def address(sent: object) -> str:
    tree: Tree = sent if isinstance(sent, dict) else {}
    street = tuple(text(tree, name) for name in ("place_street", "place_house", "place_flat", "place_number"))
    parts = (text(tree, "delivery_service_name"), text(tree, "city", "title"), *street, text(tree, "recipient_title"))
    return ", ".join(filter(None, parts))
