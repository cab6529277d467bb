"""What customers do: order, pay, call and write, as their vendors report it."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from crm.envelope import named_id
from tests.support.workload.customer import Customer
from tests.support.workload.deliveries import Delivery
from tests.support.workload.ledger import DealValue, FactKind, PaymentReport, PaymentState

URLENCODED, JSON = "application/x-www-form-urlencoded", "application/json"
TO_THE_FORMS_URL = 0.3  # share of forms: a twentieth of all deliveries
Visit = Callable[[Customer], Iterator[Delivery]]


def visit(customer: Customer) -> Iterator[Delivery]:
    (story,) = customer.rng.choices([*VISITS], [*VISITS.values()])
    return story(customer)


def orders(customer: Customer) -> Iterator[Delivery]:
    """A form and its payment; sometimes the payment comes first."""
    rng, reference = customer.rng, customer.new("order")
    amount_minor = rng.randrange(100_00, 9_000_00)
    parts = [form(customer, reference, amount_minor), *payment_reports(customer, reference, amount_minor)]
    if rng.random() < 0.25:
        parts.append(parts.pop(0))
    yield from parts


def form(customer: Customer, reference: str, amount_minor: int) -> Delivery:
    worth, rng = DealValue(amount_minor, "UAH"), customer.rng
    if rng.random() < TO_THE_FORMS_URL:
        amount = f"{amount_minor // 100}.{amount_minor % 100:02d}"
        fields = {"name": customer.name, "phone": customer.phone, "order_id": reference, "payment_amount": amount}
        tranid = customer.new("tilda")
        id = named_id(customer.tenant.form, f"tranid/{tranid}")
        body = urlencode(fields | {"tranid": tranid}).encode()
        return Delivery(
            customer.tenant, FactKind("FormSubmitted", customer.tenant.workspace), body, worth, URLENCODED, id
        )
    return customer.line(
        "FormSubmitted",
        worth,
        form="checkout",
        name=customer.name,
        phones=[customer.phone],
        emails=[customer.email] if rng.random() < 0.6 else [],
        fields={"product": "Стіл дубовий", "quantity": 2, "delivery": {"city": "Львів", "floor": 4.50}},
        amount_minor=amount_minor,
        currency="UAH",
        reference=reference,
    )


def payment_reports(customer: Customer, reference: str, amount_minor: int) -> Iterator[Delivery]:
    """Pending, then settled; some money goes back."""
    rng, payment = customer.rng, customer.new("invoice")
    if rng.random() < 0.7:
        yield payment_report(customer, payment, "held" if rng.random() < 0.5 else "created", amount_minor, 0, reference)
    yield payment_report(customer, payment, "settled", amount_minor, 0, reference)
    if rng.random() < 0.15:
        yield payment_report(customer, payment, "settled", amount_minor, rng.randrange(1, amount_minor), reference)
    elif rng.random() < 0.03:
        yield payment_report(customer, payment, "reversed", amount_minor, amount_minor, reference)


def payment_report(
    customer: Customer, payment: str, status: str, amount_minor: int, refunded_minor: int, reference: str
) -> Delivery:
    state = PaymentState(customer.later(), status, amount_minor, refunded_minor, "UAH")
    payer = {"name": customer.name, "iban": customer.iban} if customer.rng.random() < 0.4 else {}
    return customer.line(
        "PaymentReported",
        PaymentReport(payment, state),
        provider="monobank",
        payment=payment,
        reference=reference,
        payer=payer,
        **state._asdict(),
    )


def questions(customer: Customer) -> Iterator[Delivery]:
    """A form without an amount, sometimes sent twice."""
    phones, fields = [customer.phone], {"topic": customer.new("topic")}
    for _ in range(2 if customer.rng.random() < 0.1 else 1):
        yield customer.line("FormSubmitted", form="question", name=customer.name, phones=phones, fields=fields)


def calls(customer: Customer) -> Iterator[Delivery]:
    """The phases of a call, sometimes out of order. A withheld number may be known at the end."""
    rng, call = customer.rng, customer.new("call")
    phases = ["ringing", "answered", "completed"]
    if rng.random() < 0.15:
        rng.shuffle(phases)
    hidden = rng.random() < 0.1
    for phase in phases:
        unknown = hidden and (phase != "completed" or rng.random() < 0.5)
        talk_s = rng.randrange(5, 600) if phase == "completed" else None
        phone = "" if unknown else customer.phone
        yield customer.line(
            "CallReported", call=call, phase=phase, direction="in", phone=phone, line="0800 000 000", talk_s=talk_s
        )


def messages(customer: Customer) -> Iterator[Delivery]:
    """Telegram messages, some edited, sometimes with the customer's own phone, so that two contacts merge."""
    rng = customer.rng
    for _ in range(rng.randrange(2, 6)):
        message = customer.new("message")
        own = customer.phone if rng.random() < 0.15 else None
        yield message_line(customer, message, "Коли доставка?", shared_phone=own, shared_is_own=own is not None)
        if rng.random() < 0.15:
            yield message_line(customer, message, "Коли буде доставка?", edited_at=customer.later())


def message_line(customer: Customer, message: str, text: str, **more: Any) -> Delivery:
    return customer.line(
        "MessageReported",
        channel="telegram",
        chat=customer.chat,
        chat_kind="private",
        message=message,
        sender=customer.chat,
        sender_name=customer.name,
        text=text,
        **more,
    )


def unmatched_payment(customer: Customer) -> Iterator[Delivery]:
    """A payment without a deal."""
    yield from payment_reports(customer, "", customer.rng.randrange(1_00, 500_00))


def truncated_form(customer: Customer) -> Iterator[Delivery]:
    """A truncated body: it is acknowledged and quarantined."""
    body = msgspec.json.encode({customer.new("cut"): customer.name}).partition(b":")[0]
    id = named_id(customer.tenant.form, f"quarantine/{sha256(body).hexdigest()}")
    yield Delivery(customer.tenant, FactKind("DeliveryQuarantined", customer.tenant.workspace), body, None, JSON, id)


VISITS: dict[Visit, float] = {  # and its weight
    orders: 35,
    questions: 10,
    calls: 25,
    messages: 25,
    unmatched_payment: 4,
    truncated_form: 1,
}
