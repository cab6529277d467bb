"""Fondy and Flitt: the status of an order (https://docs.flitt.com/api/callbacks)."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_equal
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.facts import DeliveryKept
from crm.money import currency_of, to_minor
from crm.scalars import Micros
from crm.zones import of_workspace
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import from_iso
from services.connectors.formats.values import at, required, required_whole, text, verbatim, whole
from services.connectors.payments import expect_merchant, payer_of, payment_report
from services.connectors.signatures.fields import fields_of, signed_fields

UNSIGNED = ("signature", "response_signature_string")
STATUSES = {"approved": "settled", "reversed": "settled", "declined": "failed", "expired": "expired"}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a merchant."""

    merchant_id: Annotated[
        str, Meta(description="The merchant's number: payments of other merchants are refused.", examples=["1396424"])
    ] = ""
    country: Country = ""


def sign(key: str, fields: Tree) -> str:
    """Returns the SHA-1 of the key and of all values that are not empty, in the order of their names; 0 is a value."""
    values = (verbatim(fields, name) for name in sorted(fields) if name not in UNSIGNED)
    return hashlib.sha1("|".join((key, *filter(None, values))).encode()).hexdigest()


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the signature over all values, or of protocol 2.0 over `data` as it came."""
    fields = unwrapped(signed_fields(delivery))
    data = verbatim(fields, "data")
    expected = (
        hashlib.sha1(f"{connection.secret}|{data}".encode()).hexdigest() if data else sign(connection.secret, fields)
    )
    expect_equal(expected, text(fields, "signature"))
    if (merchant := connection.settings_as(Settings).merchant_id) and not data:
        expect_equal(merchant, text(fields, "merchant_id"), "merchant id")


def unwrapped(fields: Tree) -> Tree:
    inner = at(fields, "response")
    return inner if isinstance(inner, dict) else fields


def order_in(delivery: Delivery) -> Tree:
    """Returns the order. Raises Malformed."""
    fields = unwrapped(fields_of(delivery))
    if not (data := verbatim(fields, "data")):
        return fields
    try:
        order = decode_object(base64.b64decode(data, validate=True))
    except ValueError:
        raise Malformed("Its data is no base64.") from None
    inner = at(order, "order")
    return inner if isinstance(inner, dict) else order


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    order, doubts = order_in(delivery), Doubts()
    merchant, reference = required(order, "merchant_id"), required(order, "order_id")
    expect_merchant(merchant, connection.settings_as(Settings).merchant_id)
    said, kind = required(order, "order_status"), text(order, "tran_type")
    refunded = doubts.read(lambda: whole(order, "reversal_amount") or 0, 0, "what went back is not certain")
    more = inner_object(order, "additional_info")
    stage = text(more, "capture_status")
    key = f"{merchant}/{reference}/{said}/{kind}/{refunded}/{stage}"
    payment = f"{merchant}/{reference}"  # the same through all states of an order, and no other merchant's
    if kind == "verification":
        yield Report(key, payment, delivery.received_at, partial(DeliveryKept, connector="fondy", kind=kind))
        return
    for name in ("reversal_amount", "tran_type", "additional_info"):
        if name not in order:  # the names of the values are not signed
            doubts.say(f"it does not say {name}, which each callback does: look it up in the portal")
    currency = currency_of(required(order, "currency"))
    amount = required_whole(order, "amount")
    status = STATUSES.get(said, "created")  # of the others none means that money came
    if status == "settled" and stage == "hold":
        status = "held"
    elif stage == "captured":
        amount = captured(order, more, amount, currency, doubts)
    if said == "reversed" and (refunded >= amount or not refunded):
        status, refunded = "reversed", amount
    # No field tells when a state began. So the order's time stands for all, and the more advanced state is the newer.
    came = delivery.received_at
    began = doubts.read(lambda: local(text(order, "order_time"), connection), came, "when it was made is not known")
    yield payment_report(
        *("fondy", payment, key, began, doubts),
        status=status,
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
        purpose=text(order, "merchant_data"),
        reference=reference,
        payer=payer_of(
            *(country_of(connection), text(order, "sender_cell_phone"), text(order, "sender_email")),
            card=text(order, "masked_card"),
        ),
        account=merchant,
    )


def inner_object(order: Tree, name: str) -> Tree:
    """Returns JSON within a field; empty when there is none."""
    try:
        return decode_object(verbatim(order, name))
    except Malformed:
        return {}


def captured(order: Tree, more: Tree, amount: int, currency: str, doubts: Doubts) -> int:
    """Returns how much of a hold was taken. `capture_amount` is in whole units and must not be more than was held."""
    taken = text(more, "capture_amount")
    read = (
        doubts.read(lambda: to_minor(taken, currency), amount, "how much was taken is not certain") if taken else amount
    )
    if 0 < read <= amount:
        return read
    doubts.say(f"how much was taken is not certain: {taken[:40]!r} is more than was held")
    return amount


def local(moment: str, connection: Connection) -> Micros:
    """Reads 13.07.2024 01:23:59 in the workspace's zone. Raises Malformed."""
    try:
        read = datetime.strptime(moment, "%d.%m.%Y %H:%M:%S")  # the zone follows
    except ValueError:
        raise Malformed(f"{moment[:40]!r} is no moment.") from None
    return from_iso(read.replace(tzinfo=of_workspace(connection.home.timezone)).isoformat())


WEBHOOK = Webhook(verify, parse)
