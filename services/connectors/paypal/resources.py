"""What the resources within PayPal's events tell of a payment, in API v1 (sale) and v2 (capture)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from crm.connector import Report
from crm.errors import Malformed
from crm.money import currency_of, to_minor
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_iso
from services.connectors.formats.values import at, first, records, required, text
from services.connectors.payments import part_report, payer_at, payment_report

SETTLED = meanings(settled="COMPLETED", created="PENDING", failed="DENIED DECLINED")
HELD = meanings(held="CREATED", expired="VOIDED")
BACK = meanings(settled="REFUNDED REVERSED", created="PENDING", failed="FAILED")
PAYER = {"name": "payer.name.given_name payer.name.surname", "email": "payer.email_address"}
ABOUT = {
    "purpose": "note_to_payer",
    "reference": "invoice_id | invoice_number | custom_id | custom",
    "account": "payee.merchant_id",
}


def money(amount: Value) -> tuple[int, str]:
    """Returns smallest units and currency. Raises Malformed."""
    code = currency_of(first(amount, "currency_code", "currency"))
    value = first(amount, "value", "total")
    if not value:
        raise Malformed("It does not say its amount.")
    return to_minor(value, code), code


def linked(resource: Tree, *kinds: str) -> str:
    """Returns the id at the end of the link to what it is of: .../v2/payments/captures/ID."""
    for link in records(resource, "links"):
        kind, _, id = text(link, "href").rpartition("/")
        if text(link, "rel") != "self" and kind.rpartition("/")[2] in kinds and id:
            return id
    return ""


def payment(resource: Tree, kind: str, changed_at: Micros, statuses: dict[str, str] = SETTLED) -> Iterator[Report]:
    """A sale, a capture or an authorization. A capture of an authorization is a part of it."""
    id, status = required(resource, "id"), statuses.get(kind.rpartition(".")[2])
    if kind.endswith(("REFUNDED", "REVERSED")):
        yield from money_back(resource, kind, changed_at)
        return
    if status is None:
        return
    amount, currency = money(at(resource, "amount"))
    held = text(resource, "supplementary_data", "related_ids", "authorization_id") or linked(
        resource, "authorizations", "authorization"
    )
    whole, doubts = (held if statuses is SETTLED and held else id), Doubts()
    kept = doubts.read(lambda: fee(resource, currency), 0, "what PayPal keeps is not certain")
    yield payment_report(
        *("paypal", whole, "", changed_at, doubts),
        status="created" if whole != id else status,  # the captured money is the part's
        amount_minor=amount,
        currency=currency,
        payer=payer_at(resource, **PAYER),
        fee_minor=kept,
        **texts_at(resource, **ABOUT),
    )
    if whole != id:
        began = from_iso(text(resource, "create_time") or required(resource, "update_time"))
        yield part(whole, id, "capture", status, (amount, currency), began, changed_at)


def fee(resource: Tree, currency: str) -> int:
    """Returns what PayPal keeps. Raises Malformed."""
    kept = at(resource, "seller_receivable_breakdown", "paypal_fee") or at(resource, "transaction_fee")
    amount, code = money(kept) if kept else (0, currency)
    if code != currency:
        raise Malformed(f"it is in {code}")
    return amount


def part(
    whole: str, id: str, kind: str, status: str, sum: tuple[int, str], began: Micros, changed: Micros, reason: str = ""
) -> Report:
    of: dict[str, Any] = {"amount_minor": sum[0], "currency": sum[1], "began_at": began, "reason": reason}
    return part_report("paypal", whole, "", changed, id, kind=kind, status=status, **of)


def money_back(resource: Tree, kind: str, changed_at: Micros) -> Iterator[Report]:
    """A refund, or a reversal that PayPal or the payer's bank made."""
    id, back = required(resource, "id"), "chargeback" if kind.endswith("REVERSED") else "refund"
    of = first(resource, "sale_id", "capture_id") or linked(resource, "captures", "capture", "sale", "sales")
    if not of and back == "refund":
        raise Malformed("It does not say which payment was given back.")
    status = BACK.get(kind.rpartition(".")[2])
    if status is None:
        return
    began = from_iso(first(resource, "create_time", "update_time"))
    reason = first(resource, "reason_code", "note_to_payer", "reason")
    # Of a sale that was reversed PayPal sends the sale, with a negative amount.
    whole, own = (of, id) if of else (id, f"{id}/reversed")
    yield part(whole, own, back, status, money(at(resource, "amount")), began, changed_at, reason)


def dispute(resource: Tree, kind: str, changed_at: Micros) -> Iterator[Report]:
    """It moves no money: what was decided comes as a refund or a reversal. So it is noted, and counts nothing."""
    won = "SELLER_FAVOUR" in text(resource, "dispute_outcome", "outcome_code")
    id, amount = required(resource, "dispute_id"), money(at(resource, "dispute_amount"))
    began = from_iso(required(resource, "create_time"))
    for paid in records(resource, "disputed_transactions"):
        whole = required(paid, "seller_transaction_id")
        status = "failed" if won else "created"
        reason = text(resource, "reason")
        yield part(whole, f"{id}/{whole}", "chargeback", status, amount, began, changed_at, reason)


READERS: dict[str, Callable[[Tree, str, Micros], Iterator[Report]]] = {
    "PAYMENT.SALE": payment,
    "PAYMENT.CAPTURE": payment,
    "PAYMENT.AUTHORIZATION": partial(payment, statuses=HELD),
    "PAYMENT.REFUND": money_back,
    "CUSTOMER.DISPUTE": dispute,
}
