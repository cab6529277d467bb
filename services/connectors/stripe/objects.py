"""What the objects within Stripe's events tell of a payment (https://docs.stripe.com/api)."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from crm.connector import Report
from crm.money import DECIMALS, currency_of, to_minor
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text, whole
from services.connectors.payments import part_report, payer_at, payer_of, payment_report

REFERENCE = " | ".join(
    f"metadata.{name}" for name in ("order_id", "order", "order_number", "orderId", "deal", "reference", "invoice")
)
# Where Stripe's smallest unit is not ISO 4217's: https://docs.stripe.com/currencies#special-cases
DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
REFUNDS = {"succeeded": "settled", "failed": "failed", "canceled": "failed"}
DISPUTES = {"needs_response": "settled", "under_review": "settled", "lost": "settled", "won": "failed"}
INTENTS = {"requires_capture": "held", "succeeded": "settled", "canceled": "expired"}
SESSIONS = {"checkout.session.async_payment_failed": "failed", "checkout.session.expired": "expired"}
CUSTOMER = {
    "name": "customer_details.name",
    "phone": "customer_details.phone",
    "email": "customer_details.email | customer_email",
}
BILLED = {
    "name": "billing_details.name",
    "phone": "billing_details.phone",
    "email": "billing_details.email | receipt_email",
}


def money(thing: Tree, name: str, currency: str, otherwise: int | None = None) -> int:
    """Returns a sum in ISO 4217's smallest unit. Raises Malformed for none, and for a hundredth of a króna."""
    stated = required_whole(thing, name) if otherwise is None else whole(thing, name)
    if stated is None:
        return otherwise or 0
    return to_minor(Decimal(stated).scaleb(-DIGITS.get(currency, DECIMALS[currency])), currency)


def id_in(value: Value) -> str:
    """Returns the id of what may be an id or the whole object."""
    return text(value, "id") if isinstance(value, dict) else text({"": value}, "")


class Event(NamedTuple):
    """An event, but for the object that it is about."""

    id: str
    kind: str
    changed_at: Micros
    account: str
    country: str

    def payment(self, payment: str, thing: Tree, doubts: Doubts, **said: Any) -> Report:
        """Returns the report of a payment's state. `said`: other fields of PaymentReported."""
        said |= texts_at(thing, purpose="description", reference=f"client_reference_id | {REFERENCE}")
        return payment_report("stripe", payment, self.id, self.changed_at, doubts, account=self.account, **said)

    def part(self, thing: Tree, kind: str, statuses: dict[str, str]) -> Report:
        """Returns the report of what a refund or a dispute takes of a payment."""
        currency = currency_of(required(thing, "currency"))
        return part_report(
            *("stripe", payment_of(thing), self.id, self.changed_at, required(thing, "id")),
            kind=kind,
            status=statuses.get(required(thing, "status"), "created"),
            amount_minor=money(thing, "amount", currency),
            currency=currency,
            began_at=from_seconds(required_whole(thing, "created")),
            reason=text_at(thing, "failure_reason | reason"),
            account=self.account,
        )


def payment_of(thing: Tree) -> str:
    """Returns the intent, which is the same for the charge, the refund and the dispute; of an old charge its own id."""
    return id_in(at(thing, "payment_intent")) or id_in(at(thing, "charge")) or text(thing, "id")


def payment_intent(intent: Tree, event: Event) -> Iterator[Report]:
    said, currency = required(intent, "status"), currency_of(required(intent, "currency"))
    status = "failed" if event.kind == "payment_intent.payment_failed" else INTENTS.get(said, "created")
    amount = money(intent, "amount", currency)
    received = money(intent, "amount_received", currency, amount) if status == "settled" else amount
    payer = payer_at(intent, event.country, email="receipt_email")
    known = {"status": status, "amount_minor": received, "currency": currency, "payer": payer}
    yield event.payment(text(intent, "id"), intent, Doubts(), **known)


def charge(charge: Tree, event: Event) -> Iterator[Report]:
    doubts, currency = Doubts(), currency_of(required(charge, "currency"))
    amount = money(charge, "amount", currency)
    taken = at(charge, "captured") is not False
    paid = money(charge, "amount_captured", currency, amount) if taken else amount
    refunded = refunds_of(charge, amount, paid, currency, doubts)
    succeeded = "settled" if taken else "held"
    status = {"succeeded": succeeded, "failed": "failed"}.get(required(charge, "status"), "created")
    if status == "failed" and event.kind != "charge.failed":
        status = "created"  # a later word about a charge that failed: another one may have paid the intent since
    if event.kind == "charge.expired" or (status == "held" and refunded):
        status, refunded = "expired", 0  # a hold that was let go: no money had come
    last4 = text(charge, "payment_method_details", "card", "last4")
    yield event.payment(
        *(payment_of(charge), charge, doubts),
        status=status,
        amount_minor=paid,
        currency=currency,
        refunded_minor=refunded,
        fee_minor=fee_of(at(charge, "balance_transaction"), currency),
        payer=payer_of(event.country, **texts_at(charge, **BILLED), card=f"*{last4}" if last4 else ""),
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


def checkout_session(session: Tree, event: Event) -> Iterator[Report]:
    if text(session, "mode") != "payment" or not (total := whole(session, "amount_total")):
        return  # of a subscription the invoice's payment tells; nothing is nothing
    doubts, currency = Doubts(), currency_of(required(session, "currency"))
    if isinstance(at(session, "currency_conversion"), dict):
        doubts.say("its sum is in the currency that the payer chose")
    paid = "settled" if text(session, "payment_status") == "paid" else "created"
    yield event.payment(
        *(payment_of(session), session, doubts),
        status=SESSIONS.get(event.kind, paid),
        amount_minor=money({"": total}, "", currency),
        currency=currency,
        payer=payer_at(session, event.country, **CUSTOMER),
    )


def refund(refund: Tree, event: Event) -> Iterator[Report]:
    yield event.part(refund, "refund", REFUNDS)


def dispute(dispute: Tree, event: Event) -> Iterator[Report]:
    """A dispute takes the money at once, but for a warning; it comes back with one that is won."""
    yield event.part(dispute, "chargeback", DISPUTES)


READERS: dict[str, Callable[[Tree, Event], Iterator[Report]]] = {
    "payment_intent": payment_intent,
    "charge": charge,
    "checkout.session": checkout_session,
    "refund": refund,
    "dispute": dispute,
}
