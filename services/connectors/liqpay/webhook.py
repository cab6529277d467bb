"""LiqPay: the status of a payment (https://www.liqpay.ua/doc/api/callback)."""

import base64
import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_equal
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.facts import DeliveryKept
from crm.money import currency_of, to_minor
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.times import from_millis
from services.connectors.formats.values import first, required, text, whole
from services.connectors.payments import payer_of, payment_report
from services.connectors.signatures.fields import signed_body

STATUSES = meanings(
    settled="success wait_compensation sandbox",  # the second comes to the shop's account with the day's other money
    held="hold_wait",
    reversed="reversed",
    failed="failure error",
)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a shop's account."""

    public_key: Annotated[
        str, Meta(description="The shop's public key: payments of other shops are refused.", examples=["i00000000"])
    ] = ""
    sandbox: Annotated[bool, Meta(description="Count test payments as money. Only for a test workspace.")] = False
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks base64(sha1(key + data + key)) over `data` as it came; some accounts use SHA3-256, which is longer."""
    form = signed_body(delivery)
    signature, data = text(form, "signature"), text(form, "data")
    expect_equal(sign(connection.secret, data, "sha1" if len(signature) <= 28 else "sha3_256"), signature)
    if account := connection.settings_as(Settings).public_key:
        expect_equal(account, text(payment_in(data, silent=True), "public_key"), "public key")


def sign(private_key: str, data: str, algorithm: str = "sha1") -> str:
    return base64.b64encode(hashlib.new(algorithm, f"{private_key}{data}{private_key}".encode()).digest()).decode()


def payment_in(data: str, silent: bool = False) -> Tree:
    """Returns the decoded `data`; empty when it cannot be read and `silent`, else raises Malformed."""
    try:
        return decode_object(base64.b64decode(data, validate=True))
    except (ValueError, Malformed) as error:
        if silent:
            return {}
        raise Malformed(f"LiqPay's data cannot be read: {error}.") from None


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    payment = payment_in(text(read_body(delivery).tree, "data"))
    id, status_word = required(payment, "payment_id"), required(payment, "status")
    doubts = Doubts()
    when = first(payment, "end_date", "create_date")
    came = delivery.received_at
    at = doubts.read(lambda: moment(payment, came), came, "when it changed is not known")
    returned = first(payment, "refund_amount", "amount_return")
    key = f"{id}/{status_word}/{when}/{returned}"
    if status_word == "sandbox" and not connection.settings_as(Settings).sandbox:
        yield Report(key, id, at, partial(DeliveryKept, connector="liqpay", kind="sandbox"))
        return
    currency = currency_of(required(payment, "currency"))
    amount = to_minor(required(payment, "amount"), currency)
    all_of_it = amount if status_word == "reversed" else 0
    refunded = all_of_it
    if returned:
        refunded = doubts.read(lambda: to_minor(returned, currency), all_of_it, "how much went back is not certain")
    outgoing = text(payment, "action") == "p2pcredit"  # a payout to somebody's card
    if outgoing:
        amount, refunded = -amount, 0
    status = STATUSES.get(status_word, "created")  # of some forty others none means that money came
    yield payment_report(
        *("liqpay", id, key, at, doubts),
        status="settled" if status == "reversed" and refunded < amount else status,  # given back in part only
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
        purpose=text(payment, "description"),
        reference=text(payment, "order_id"),
        payer=payer_of(
            *(country_of(connection), text(payment, "sender_phone"), text(payment, "sender_email")),
            name=" ".join(filter(None, (text(payment, "sender_first_name"), text(payment, "sender_last_name")))),
            iban=text(payment, "sender_iban"),
            card=text(payment, "sender_card_mask2"),
        ),
        account=text(payment, "public_key"),
    )


def moment(payment: Tree, otherwise: Micros) -> Micros:
    """Raises Malformed."""
    when = whole(payment, "end_date") or whole(payment, "create_date")
    return from_millis(when) if when else otherwise


WEBHOOK = Webhook(verify, parse)
