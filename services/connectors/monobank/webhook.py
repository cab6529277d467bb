"""monobank acquiring: an invoice has a new status (https://monobank.ua/api-docs/acquiring)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from crm.money import currency_of, within_64_bits
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_iso
from services.connectors.formats.values import records, required, required_whole, text, whole
from services.connectors.payments import payment_report
from services.connectors.signatures.ecdsa import expect_signed, from_base64, pem_key

STATUSES = meanings(
    created="created processing",
    held="hold",
    settled="success",
    failed="failure",
    reversed="reversed",
    expired="expired",
)
HRYVNIA = "980"  # the bank's documents: the currency of an invoice that names none


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks X-Sign. The secret is the merchant's public key as the bank's API gives it."""
    signature = from_base64(delivery.headers.get("x-sign", ""), "signature")
    expect_signed(pem_key(connection.secret), signature, delivery.body)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    invoice = decode_object(delivery.body)
    payment, status = required(invoice, "invoiceId"), required(invoice, "status")
    doubts = Doubts()
    modified = text(invoice, "modifiedDate") or text(invoice, "createdDate")
    at = doubts.read(lambda: from_iso(modified), delivery.received_at, "when it changed is not known")
    if status not in STATUSES:
        doubts.say(f"its status {status[:40]!r} is not known here: no money is counted for it")
    refunded = refunds_in(invoice, doubts)
    amount = gross(invoice, refunded, doubts)
    currency = currency_of(text(invoice, "ccy") or HRYVNIA)
    yield payment_report(
        *("monobank", payment, f"{payment}/{modified}/{status}", at, doubts),
        status=STATUSES.get(status, "created"),
        amount_minor=amount,
        currency=currency,
        refunded_minor=refunded,
        payer=Payer(card=text(invoice, "paymentInfo", "maskedPan")),
        **texts_at(invoice, purpose="destination", reference="reference"),
    )


def refunds_in(invoice: Tree, doubts: Doubts) -> int:
    """Returns the refunded amount. A refund that cannot be read is left out: finalAmount says what remains."""
    done = [cancel for cancel in records(invoice, "cancelList") if text(cancel, "status") == "success"]
    about = "how much went back is not certain"
    sums = [abs(doubts.read(lambda: required_whole(cancel, "amount"), 0, about)) for cancel in done]  # noqa: B023  # read at once
    return within_64_bits(sum(sums))


def gross(invoice: Tree, refunded: int, doubts: Doubts) -> int:
    """Returns the paid amount before refunds: the bank's finalAmount shrinks with every refund."""
    amount = required_whole(invoice, "amount")
    final = doubts.read(lambda: whole(invoice, "finalAmount"), None, "what is left of it is not certain")
    if final is None:
        return amount
    return final + refunded if final + refunded <= amount else final


WEBHOOK = Webhook(verify, parse)
