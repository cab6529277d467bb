"""What an order of Rozetka says (https://api-seller.rozetka.com.ua/apidoc, Orders)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report
from crm.shared import OrderLine
from crm.zones import zone
from services.connectors.formats.exact_json import Tree, Value, decode_object
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import from_datetime
from services.connectors.formats.values import at, first, required, text, within
from services.connectors.orders import Reading, order_report, orders_in

UNSUCCESSFUL = "3"  # the group of all statuses in which an order was cancelled, or came back
PAID = ("paid", "success")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    for order in orders_in(within(decode_object(delivery.body), "content"), "orders"):
        yield order_of(order, Reading(order, connection, "UAH"))


def order_of(order: Tree, reading: Reading) -> Report:
    key, payment, parcel = required(order, "id"), text(order, "status_payment", "name"), text(order, "ttn")
    total = reading.sum("cost_with_discount")
    total = reading.sum("amount_with_discount") if total is None else total
    buyer = at(order, "user_title") or at(order, "user")
    return order_report(
        "rozetka",
        key,
        from_datetime(first(order, "changed", "created") or required(order, "changed"), zone("Europe/Kyiv")),
        reading,
        [text(order, "status")],
        number=key,
        cancelled=text(order, "status_group") == UNSUCCESSFUL,
        contact_key=text(order, "user", "id") or None,
        name=first(buyer, "full_name", "contact_fio"),
        phones=[text(order, "user_phone")],
        total_minor=total,
        paid_minor=(total if payment in PAID else 0) if payment else None,
        lines=reading.lines("purchases", line_of) if at(order, "purchases") is not None else None,
        fields={
            "delivery": address(at(order, "delivery")),
            "parcel_numbers": [parcel] if parcel else [],
            **texts_at(order, order_status="status_data.name_ua | status_data.name | status"),
            **texts_at(order, payment_method="payment_type_name", comment="comment"),
            **texts_at(order, seller_comment="current_seller_comment"),
        },
    )


def line_of(reading: Reading, line: Tree) -> OrderLine:
    """`cost` is what the line costs, `price` what one does; both before the discount."""
    quantity = reading.quantity("quantity", of=line)
    sums = (reading.sum(name, of=line) for name in ("price", "cost", "cost_with_discount"))
    about = texts_at(line, sku="item.price_offer_id | item.article | item_id", name="item_name | item.name")
    return reading.line_of_sums(text(line, "id"), about["sku"], about["name"], quantity, *sums)


def address(sent: Value) -> str:
    names = ("delivery_service_name", "city.title", "place_street", "place_house", "place_flat", "place_number")
    return ", ".join(filter(None, (text_at(sent, place) for place in (*names, "recipient_title"))))
