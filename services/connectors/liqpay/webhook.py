"""LiqPay: the status of a payment (https://www.liqpay.ua/doc/api/callback)."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.connector_settings import Country
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, base64_object, object_or_empty
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import text_at
from services.connectors.formats.times import from_millis
from services.connectors.formats.values import required, text, whole
from services.connectors.payments import Gateway, TestPayments, own_merchant, sum_in
from services.connectors.repeats import kept
from services.connectors.signatures.fields import signed_body

GATEWAY = Gateway(
    "liqpay",
    meanings(
        settled="success wait_compensation sandbox",  # the second: it comes to the shop with the day's other money
        held="hold_wait",
        reversed="reversed",
        failed="failure error",
    ),
    payer={
        "phone": "sender_phone",
        "email": "sender_email",
        "name": "sender_first_name sender_last_name",
        "iban": "sender_iban",
        "card": "sender_card_mask2",
    },
    places={"purpose": "description", "reference": "order_id", "account": "public_key"},
)
RETURNED = "refund_amount | amount_return"


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a shop's account."""

    public_key: Annotated[str, own_merchant("The shop's public key", "i00000000")] = ""
    sandbox: TestPayments = False
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks base64(sha1(key + data + key)) over `data` as it came; some accounts use SHA3-256, which is longer."""
    form = signed_body(delivery)
    signature, data = text(form, "signature"), text(form, "data")
    expect_equal(sign(connection.secret, data, "sha1" if len(signature) <= 28 else "sha3_256"), signature)
    if account := connection.settings_as(Settings).public_key:
        expect_equal(account, text(object_or_empty(lambda: base64_object(data)), "public_key"), "public key")


def sign(private_key: str, data: str, algorithm: str = "sha1") -> str:
    return base64.b64encode(hashlib.new(algorithm, f"{private_key}{data}{private_key}".encode()).digest()).decode()


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    payment, doubts = base64_object(text(read_body(delivery).tree, "data")), Doubts()
    id, said = required(payment, "payment_id"), required(payment, "status")
    when, returned = text_at(payment, "end_date | create_date"), text_at(payment, RETURNED)
    came, key = delivery.received_at, f"{id}/{said}/{when}/{returned}"
    at = doubts.read(lambda: moment(payment, came), came, "when it changed is not known")
    if said == "sandbox" and not connection.settings_as(Settings).sandbox:
        yield kept("liqpay", "sandbox", delivery, key, id, at)
        return
    amount, currency = sum_in(payment)
    all_of_it = amount if said == "reversed" else 0
    refunded = abs(doubts.sum_at(payment, RETURNED, currency, "how much went back is not certain", all_of_it))
    if text(payment, "action") == "p2pcredit":  # a payout to somebody's card
        amount, refunded = -amount, 0
    status = GATEWAY.status(said)
    yield GATEWAY.report(
        *(payment, connection, id, key, at, doubts),
        status="settled" if status == "reversed" and refunded < amount else status,  # given back in part only
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
    )


def moment(payment: Tree, otherwise: Micros) -> Micros:
    """Raises Malformed."""
    when = whole(payment, "end_date") or whole(payment, "create_date")
    return from_millis(when) if when else otherwise


WEBHOOK = Webhook(verify, parse)
