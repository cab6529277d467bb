"""Fondy and Flitt: the status of an order (https://docs.flitt.com/api/callbacks)."""

import hashlib
from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.connector_settings import Country
from crm.money import currency_of
from crm.zones import of_workspace
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, base64_object, decode_object, object_or_empty
from services.connectors.formats.meanings import meanings
from services.connectors.formats.times import from_day_first
from services.connectors.formats.values import required, required_whole, text, verbatim, whole, within
from services.connectors.payments import Gateway, expect_merchant, own_merchant
from services.connectors.repeats import kept
from services.connectors.signatures.fields import fields_of, signed_fields

UNSIGNED = ("signature", "response_signature_string")
GATEWAY = Gateway(
    "fondy",
    meanings(settled="approved reversed", failed="declined", expired="expired"),
    payer={"phone": "sender_cell_phone", "email": "sender_email", "card": "masked_card"},
    places={"purpose": "merchant_data", "reference": "order_id", "account": "merchant_id"},
)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a merchant."""

    merchant_id: Annotated[str, own_merchant("The merchant's number", "1396424")] = ""
    country: Country = ""


def sign(key: str, fields: Tree) -> str:
    """Returns the SHA-1 of the key and of all values that are not empty, in the order of their names; 0 is a value."""
    values = (verbatim(fields, name) for name in sorted(fields) if name not in UNSIGNED)
    return hashlib.sha1("|".join((key, *filter(None, values))).encode()).hexdigest()


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the signature over all values, or of protocol 2.0 over `data` as it came."""
    fields = within(signed_fields(delivery), "response")
    data = verbatim(fields, "data")
    expect_equal(sign(connection.secret, {"data": data} if data else fields), text(fields, "signature"))
    if (merchant := connection.settings_as(Settings).merchant_id) and not data:
        expect_equal(merchant, text(fields, "merchant_id"), "merchant id")


def order_in(delivery: Delivery) -> Tree:
    """Returns the order. Raises Malformed."""
    fields = within(fields_of(delivery), "response")
    data = verbatim(fields, "data")
    return within(base64_object(data), "order") if data else fields


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    order, doubts, came = order_in(delivery), Doubts(), delivery.received_at
    merchant, reference = required(order, "merchant_id"), required(order, "order_id")
    expect_merchant(merchant, connection.settings_as(Settings).merchant_id)
    said, kind = required(order, "order_status"), text(order, "tran_type")
    refunded = abs(doubts.read(lambda: whole(order, "reversal_amount") or 0, 0, "what went back is not certain"))
    more = object_or_empty(lambda: decode_object(verbatim(order, "additional_info")))
    stage = text(more, "capture_status")
    payment = f"{merchant}/{reference}"  # the same through all states of an order, and no other merchant's
    key = f"{payment}/{said}/{kind}/{refunded}/{stage}"
    if kind == "verification":
        yield kept("fondy", kind, delivery, key, payment)
        return
    for name in ("reversal_amount", "tran_type", "additional_info"):
        if name not in order:  # the names of the values are not signed
            doubts.say(f"it does not say {name}, which each callback does: look it up in the portal")
    currency, amount = currency_of(required(order, "currency")), required_whole(order, "amount")
    status = GATEWAY.status(said)
    if status == "settled" and stage == "hold":
        status = "held"
    elif stage == "captured":
        amount = captured(more, amount, currency, doubts)
    if said == "reversed" and (refunded >= amount or not refunded):
        status, refunded = "reversed", amount
    # No field tells when a state began. So the order's time stands for all, and the more advanced state is the newer.
    zone = of_workspace(connection.home.timezone)
    made = doubts.read(lambda: from_day_first(text(order, "order_time"), zone), came, "when it was made is not known")
    yield GATEWAY.report(
        *(order, connection, payment, key, made, doubts),
        status=status,
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
    )


def captured(more: Tree, amount: int, currency: str, doubts: Doubts) -> int:
    """Returns how much of a hold was taken. `capture_amount` is in whole units and must not be more than was held."""
    taken = doubts.sum_at(more, "capture_amount", currency, "how much was taken is not certain", amount)
    if 0 < taken <= amount:
        return taken
    said = text(more, "capture_amount")[:40]
    doubts.say(f"how much was taken is not certain: {said!r} is more than was held")
    return amount


WEBHOOK = Webhook(verify, parse)
