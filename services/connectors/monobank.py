"""monobank acquiring: an invoice tells its new status (https://monobank.ua/api-docs/acquiring)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Connector, Delivery, Report
from crm.errors import Malformed
from crm.facts import PaymentReported
from crm.money import currency_of, within_64_bits
from crm.shared import Payer
from services.connectors.ecdsa import expect_signed, from_base64, pem_key
from services.connectors.exact_json import Tree, decode_object
from services.connectors.times import from_iso
from services.connectors.values import records, required, required_whole, text, whole

STATUSES = {
    "created": "created",
    "processing": "created",
    "hold": "held",
    "success": "settled",
    "failure": "failed",
    "reversed": "reversed",
    "expired": "expired",
}


def verify(delivery: Delivery, connection: Connection) -> None:
    """The secret is the merchant's public key as the bank's API gives it."""
    signature = from_base64(delivery.headers.get("x-sign", ""), "signature")
    expect_signed(pem_key(connection.secret), signature, delivery.body)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    invoice = decode_object(delivery.body)
    payment, status = required(invoice, "invoiceId"), required(invoice, "status")
    modified = required(invoice, "modifiedDate")
    if status not in STATUSES:
        raise Malformed(f"monobank's status {status!r} is not known here.")
    refunded = refunds_in(invoice)
    told = partial(
        PaymentReported,
        provider="monobank",
        payment=payment,
        status=STATUSES[status],
        amount_minor=gross(invoice, refunded),
        currency=currency_of(text(invoice, "ccy") or "980"),
        changed_at=from_iso(modified),
        refunded_minor=refunded,
        purpose=text(invoice, "destination"),
        reference=text(invoice, "reference"),
        payer=Payer(card=text(invoice, "paymentInfo", "maskedPan")),
    )
    yield Report(f"{payment}/{modified}/{status}", payment, from_iso(modified), told)


def refunds_in(invoice: Tree) -> int:
    done = (cancel for cancel in records(invoice, "cancelList") if text(cancel, "status") == "success")
    return within_64_bits(sum(required_whole(cancel, "amount") for cancel in done))


def gross(invoice: Tree, refunded: int) -> int:
    """What was paid, refunds not taken off: the bank's finalAmount shrinks with every refund."""
    asked, final = required_whole(invoice, "amount"), whole(invoice, "finalAmount")
    if final is None:
        return asked
    return final + refunded if final + refunded <= asked else final


CONNECTOR = Connector("monobank", "banking", verify, parse)
