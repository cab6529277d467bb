"""WayForPay: the status of an order (https://wiki.wayforpay.com/view/852102)."""

import hmac
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, expect_equal, json_answer
from crm.connector_settings import Country
from crm.envelope import Fact
from services.connectors.doubts import Doubts
from services.connectors.formats.meanings import meanings
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import first, records, required, text, verbatim, whole_or_none
from services.connectors.payments import Gateway, own_merchant, part_report, sum_in
from services.connectors.signatures.fields import fields_of, signed_fields

SIGNED = "merchantAccount orderReference amount currency authCode cardPan transactionStatus reasonCode"
GATEWAY = Gateway(
    "wayforpay",
    meanings(settled="Approved", held="WaitingAuthComplete", reversed="Voided", failed="Declined", expired="Expired"),
    payer={"phone": "phone", "email": "email", "name": "clientName", "card": "cardPan"},
    places={"reference": "orderReference", "account": "merchantAccount"},
)
DUPLICATE = "1112"  # Duplicate Order ID: the order was paid before and stays so


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a merchant's account."""

    merchant_account: Annotated[str, own_merchant("The merchant's login", "shop_com_ua")] = ""
    country: Country = ""


def sign(secret: str, *values: str) -> str:
    return hmac.new(secret.encode(), ";".join(values).encode(), "md5").hexdigest()


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks HMAC-MD5 over eight values as they were sent: 1 is not 1.00."""
    order = signed_fields(delivery)
    values = (verbatim(order, name) for name in SIGNED.split())
    expect_equal(sign(connection.secret, *values), text(order, "merchantSignature"))
    if account := connection.settings_as(Settings).merchant_account:
        expect_equal(account, text(order, "merchantAccount"), "merchant account")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    order, doubts = fields_of(delivery), Doubts()
    account, reference = required(order, "merchantAccount"), required(order, "orderReference")
    said, (amount, currency) = required(order, "transactionStatus"), sum_in(order)
    when = first(order, "processingDate", "createdDate")
    at = moment_or_none(whole_or_none({"": when}, "")) or delivery.received_at
    payment = f"{account}/{reference}"  # the same through all states of an order, and no other merchant's
    key = f"{reference}/{said}/{when}/{amount}"
    money: dict[str, Any] = {"amount_minor": amount, "currency": currency}
    if said == "Refunded":  # of the whole or a part: there may be several
        money |= {"kind": "refund", "status": "settled", "reason": text(order, "reason"), "account": account}
        yield part_report("wayforpay", payment, key, at, f"{payment}/{when}/{amount}", **money)
        return
    status = "created" if text(order, "reasonCode") == DUPLICATE else GATEWAY.status(said)
    products = [text(product, "name") for product in records(order, "products")]
    yield GATEWAY.report(
        *(order, connection, payment, key, at, doubts),
        status=status,
        refunded_minor=amount if status == "reversed" else 0,
        purpose=products[0] if len(products) == 1 else "",  # several are a cart
        fee_minor=doubts.sum_at(order, "fee", currency, "the fee is not certain"),
        **money,
    )


def accept(delivery: Delivery, connection: Connection, facts: Sequence[Fact]) -> Answer:
    """Returns the signed acceptance. Without it WayForPay repeats the delivery for four days."""
    reference, moment = verbatim(fields_of(delivery), "orderReference"), delivery.received_at // 1_000_000
    accepted = {"orderReference": reference, "status": "accept", "time": moment}
    return json_answer(accepted | {"signature": sign(connection.secret, reference, "accept", str(moment))})


WEBHOOK = Webhook(verify, parse, accept)
