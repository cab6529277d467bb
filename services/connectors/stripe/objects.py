"""What the objects within Stripe's events tell of a payment (https://docs.stripe.com/api)."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from crm.facts import PaymentPartReported, PaymentReported
from crm.money import DECIMALS, currency_of, to_minor
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, first, required, required_whole, text, whole

Facts = Iterator[tuple[str, Callable[..., Any]]]  # the payment, and a fact but for its envelope
REFERENCES = ("order_id", "order", "order_number", "orderId", "deal", "reference", "invoice")  # in metadata
# Where Stripe's smallest unit is not ISO 4217's: https://docs.stripe.com/currencies#special-cases
DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
REFUNDS = {"succeeded": "settled", "failed": "failed", "canceled": "failed"}
DISPUTES = {"needs_response": "settled", "under_review": "settled", "lost": "settled", "won": "failed"}
INTENTS = {"requires_capture": "held", "succeeded": "settled", "canceled": "expired"}


def money(thing: Tree, name: str, currency: str, otherwise: int | None = None) -> int:
    """Returns a sum in ISO 4217's smallest unit. Raises Malformed for none, and for a hundredth of a króna."""
    stated = required_whole(thing, name) if otherwise is None else whole(thing, name)
    if stated is None:
        return otherwise or 0
    return to_minor(Decimal(stated).scaleb(-DIGITS.get(currency, DECIMALS[currency])), currency)


def id_in(value: Value) -> str:
    """Returns the id of what may be an id or the whole object."""
    return text(value, "id") if isinstance(value, dict) else text({"": value}, "")


def payment_of(thing: Tree) -> str:
    """Returns the intent, which is the same for the charge, the refund and the dispute; of an old charge its own id."""
    return id_in(at(thing, "payment_intent")) or id_in(at(thing, "charge")) or text(thing, "id")


def reference_of(thing: Tree) -> str:
    return text(thing, "client_reference_id") or first(at(thing, "metadata"), *REFERENCES)


def payer_of(details: Value, country: str, email: str = "", card: str = "") -> Payer:
    """Returns the payer. A phone that cannot be read stays as it was given."""
    phone = text(details, "phone")
    read = read_phone(phone, country).e164 or phone if phone else ""
    return Payer(text(details, "name"), phone=read, email=(text(details, "email") or email).lower(), card=card)


def payment_intent(intent: Tree, kind: str, changed_at: Micros, country: str) -> Facts:
    said, currency = required(intent, "status"), currency_of(required(intent, "currency"))
    status = "failed" if kind == "payment_intent.payment_failed" else INTENTS.get(said, "created")
    amount = money(intent, "amount", currency)
    received = money(intent, "amount_received", currency, amount) if status == "settled" else amount
    yield (
        text(intent, "id"),
        partial(
            PaymentReported,
            provider="stripe",
            payment=text(intent, "id"),
            status=status,
            amount_minor=received,
            currency=currency,
            changed_at=changed_at,
            purpose=text(intent, "description"),
            reference=reference_of(intent),
            payer=payer_of(None, country, text(intent, "receipt_email")),
        ),
    )


def charge(charge: Tree, kind: str, changed_at: Micros, country: str) -> Facts:
    doubts, currency = Doubts(), currency_of(required(charge, "currency"))
    amount = money(charge, "amount", currency)
    taken = at(charge, "captured") is not False
    paid = money(charge, "amount_captured", currency, amount) if taken else amount
    refunded = refunds_of(charge, amount, paid, currency, doubts)
    status = {"succeeded": "settled" if taken else "held", "failed": "failed"}.get(
        required(charge, "status"), "created"
    )
    if status == "failed" and kind != "charge.failed":
        status = "created"  # a later word about a charge that failed: another one may have paid the intent since
    if kind == "charge.expired" or (status == "held" and refunded):
        status, refunded = "expired", 0  # a hold that was let go: no money had come
    last4 = text(charge, "payment_method_details", "card", "last4")
    yield (
        payment_of(charge),
        partial(
            PaymentReported,
            provider="stripe",
            payment=payment_of(charge),
            status=status,
            amount_minor=paid,
            currency=currency,
            changed_at=changed_at,
            refunded_minor=refunded,
            fee_minor=fee_of(at(charge, "balance_transaction"), currency),
            purpose=text(charge, "description"),
            reference=reference_of(charge),
            payer=payer_of(
                at(charge, "billing_details"), country, text(charge, "receipt_email"), f"*{last4}" if last4 else ""
            ),
            doubts=tuple(doubts),
        ),
    )


def refunds_of(charge: Tree, amount: int, paid: int, currency: str, doubts: Doubts) -> int:
    """Returns what went back of what was paid. What of a hold was not taken may be counted as given back, or not."""
    back, released = money(charge, "amount_refunded", currency, 0), amount - paid
    if released and back not in (0, released):
        doubts.say("how much went back is not certain: less was taken than was held, and more was given back")
    return max(0, back - released)


def fee_of(transaction: Value, currency: str) -> int:
    """Returns what Stripe keeps, where the whole balance transaction came and is in the payment's currency; else 0."""
    if not isinstance(transaction, dict) or text(transaction, "currency").upper() != currency:
        return 0
    return money(transaction, "fee", currency, 0)


def checkout_session(session: Tree, kind: str, changed_at: Micros, country: str) -> Facts:
    if text(session, "mode") != "payment" or not (total := whole(session, "amount_total")):
        return  # of a subscription the invoice's payment tells; nothing is nothing
    doubts, currency = Doubts(), currency_of(required(session, "currency"))
    if isinstance(at(session, "currency_conversion"), dict):
        doubts.say("its sum is in the currency that the payer chose")
    status = "settled" if text(session, "payment_status") == "paid" else "created"
    status = {"checkout.session.async_payment_failed": "failed", "checkout.session.expired": "expired"}.get(
        kind, status
    )
    yield (
        payment_of(session),
        partial(
            PaymentReported,
            provider="stripe",
            payment=payment_of(session),
            status=status,
            amount_minor=money({"": total}, "", currency),
            currency=currency,
            changed_at=changed_at,
            reference=reference_of(session),
            payer=payer_of(at(session, "customer_details"), country, text(session, "customer_email")),
            doubts=tuple(doubts),
        ),
    )


def refund(refund: Tree, kind: str, changed_at: Micros, country: str) -> Facts:
    yield part_of(refund, "refund", REFUNDS.get(required(refund, "status"), "created"), changed_at)


def dispute(dispute: Tree, kind: str, changed_at: Micros, country: str) -> Facts:
    """A dispute takes the money at once, but for a warning; it comes back with one that is won."""
    yield part_of(dispute, "chargeback", DISPUTES.get(required(dispute, "status"), "created"), changed_at)


def part_of(thing: Tree, kind: str, status: str, changed_at: Micros) -> tuple[str, Callable[..., Any]]:
    currency, payment = currency_of(required(thing, "currency")), payment_of(thing)
    return payment, partial(
        PaymentPartReported,
        provider="stripe",
        payment=payment,
        part=required(thing, "id"),
        kind=kind,
        status=status,
        amount_minor=money(thing, "amount", currency),
        currency=currency,
        began_at=from_seconds(required_whole(thing, "created")),
        changed_at=changed_at,
        reason=first(thing, "failure_reason", "reason"),
    )


READERS: dict[str, Callable[[Tree, str, Micros, str], Facts]] = {
    "payment_intent": payment_intent,
    "charge": charge,
    "checkout.session": checkout_session,
    "refund": refund,
    "dispute": dispute,
}
