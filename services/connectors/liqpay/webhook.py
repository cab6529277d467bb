"""LiqPay: the status of a payment (https://www.liqpay.ua/doc/api/callback)."""

import base64
import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_equal
from crm.connector_settings import Country
from crm.errors import Malformed, Refused
from crm.facts import DeliveryKept, PaymentReported
from crm.money import currency_of, to_minor
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.times import from_millis
from services.connectors.formats.values import first, required, text, whole

STATUSES = {
    "success": "settled",
    "wait_compensation": "settled",  # paid; it comes to the shop's account with the day's other money
    "sandbox": "settled",
    "hold_wait": "held",
    "reversed": "reversed",
    "failure": "failed",
    "error": "failed",
}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a shop's account."""

    public_key: Annotated[
        str, Meta(description="The shop's public key: payments of other shops are refused.", examples=["i00000000"])
    ] = ""
    sandbox: Annotated[bool, Meta(description="Count test payments as money. Only for a test workspace.")] = False
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks base64(sha1(key + data + key)) over `data` as it came; some accounts use SHA3-256, which is longer."""
    try:
        form = read_body(delivery).tree
    except Malformed as error:
        raise Refused(f"{error} So there is no signature. Nothing was kept.") from None
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
    report = partial(
        PaymentReported,
        provider="liqpay",
        payment=id,
        status="settled" if status == "reversed" and refunded < amount else status,  # given back in part only
        amount_minor=amount,
        currency=currency,
        changed_at=at,
        refunded_minor=refunded,
        purpose=text(payment, "description"),
        reference=text(payment, "order_id"),
        payer=payer_of(payment, country_of(connection)),
        account=text(payment, "public_key"),
        doubts=tuple(doubts),
    )
    yield Report(key, id, at, report)


def moment(payment: Tree, otherwise: Micros) -> Micros:
    """Raises Malformed."""
    when = whole(payment, "end_date") or whole(payment, "create_date")
    return from_millis(when) if when else otherwise


def payer_of(payment: Tree, country: str) -> Payer:
    """Returns the payer. A phone that cannot be read stays as it was given."""
    names = (text(payment, "sender_first_name"), text(payment, "sender_last_name"))
    phone = text(payment, "sender_phone")
    return Payer(
        name=" ".join(filter(None, names)),
        iban=text(payment, "sender_iban"),
        phone=read_phone(phone, country).e164 or phone,
        email=text(payment, "sender_email").lower(),
        card=text(payment, "sender_card_mask2"),
    )


WEBHOOK = Webhook(verify, parse)
