"""What people do at a shop: they order, pay, call, write, each as the vendor behind it would tell."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from crm.envelope import named_id
from tests.chaos.deliveries import Delivery
from tests.chaos.ledger import Kind, Paid, Standing, Worth
from tests.chaos.person import Person

URLENCODED, JSON = "application/x-www-form-urlencoded", "application/json"
BY_THE_FORMS_DOOR = 0.3  # share of forms: a twentieth of all deliveries
Story = Callable[[Person], Iterator[Delivery]]


def visit(person: Person) -> Iterator[Delivery]:
    (story,) = person.rng.choices([*STORIES], [*STORIES.values()])
    return story(person)


def orders(person: Person) -> Iterator[Delivery]:
    """A form and its payment, which now and then is told first."""
    rng, reference = person.rng, person.new("order")
    amount_minor = rng.randrange(100_00, 9_000_00)
    parts = [form(person, reference, amount_minor), *pays(person, reference, amount_minor)]
    if rng.random() < 0.25:
        parts.append(parts.pop(0))
    yield from parts


def form(person: Person, reference: str, amount_minor: int) -> Delivery:
    worth, rng = Worth(amount_minor, "UAH"), person.rng
    if rng.random() < BY_THE_FORMS_DOOR:
        amount = f"{amount_minor // 100}.{amount_minor % 100:02d}"
        fields = {"name": person.name, "phone": person.phone, "order_id": reference, "payment_amount": amount}
        tranid = person.new("tilda")
        id = named_id(person.shop.form, f"tranid/{tranid}")
        body = urlencode(fields | {"tranid": tranid}).encode()
        return Delivery(person.shop, Kind("FormSubmitted", person.shop.workspace), body, worth, URLENCODED, id)
    return person.line(
        "FormSubmitted",
        worth,
        form="checkout",
        name=person.name,
        phones=[person.phone],
        emails=[person.email] if rng.random() < 0.6 else [],
        fields={"product": "Стіл дубовий", "quantity": 2, "delivery": {"city": "Львів", "floor": 4.50}},
        amount_minor=amount_minor,
        currency="UAH",
        reference=reference,
    )


def pays(person: Person, reference: str, amount_minor: int) -> Iterator[Delivery]:
    """Pending, then settled; some money goes back."""
    rng, payment = person.rng, person.new("invoice")
    if rng.random() < 0.7:
        yield reported(person, payment, "held" if rng.random() < 0.5 else "created", amount_minor, 0, reference)
    yield reported(person, payment, "settled", amount_minor, 0, reference)
    if rng.random() < 0.15:
        yield reported(person, payment, "settled", amount_minor, rng.randrange(1, amount_minor), reference)
    elif rng.random() < 0.03:
        yield reported(person, payment, "reversed", amount_minor, amount_minor, reference)


def reported(
    person: Person, payment: str, status: str, amount_minor: int, refunded_minor: int, reference: str
) -> Delivery:
    standing = Standing(person.later(), status, amount_minor, refunded_minor, "UAH")
    payer = {"name": person.name, "iban": person.iban} if person.rng.random() < 0.4 else {}
    return person.line(
        "PaymentReported",
        Paid(payment, standing),
        provider="monobank",
        payment=payment,
        reference=reference,
        payer=payer,
        **standing._asdict(),
    )


def asks(person: Person) -> Iterator[Delivery]:
    """A form without a sum; some click twice."""
    phones, fields = [person.phone], {"topic": person.new("topic")}
    for _ in range(2 if person.rng.random() < 0.1 else 1):
        yield person.line("FormSubmitted", form="question", name=person.name, phones=phones, fields=fields)


def calls(person: Person) -> Iterator[Delivery]:
    """The phases of a call, sometimes told out of order; who withholds the number may be known by its end."""
    rng, call = person.rng, person.new("call")
    phases = ["ringing", "answered", "completed"]
    if rng.random() < 0.15:
        rng.shuffle(phases)
    hidden = rng.random() < 0.1
    for phase in phases:
        unknown = hidden and (phase != "completed" or rng.random() < 0.5)
        talk_s = rng.randrange(5, 600) if phase == "completed" else None
        phone = "" if unknown else person.phone
        yield person.line(
            "CallReported", call=call, phase=phase, direction="in", phone=phone, line="0800 000 000", talk_s=talk_s
        )


def writes(person: Person) -> Iterator[Delivery]:
    """A few messages in Telegram, some edited, now and then with one's own phone, so that two cards become one."""
    rng = person.rng
    for _ in range(rng.randrange(2, 6)):
        message = person.new("message")
        own = person.phone if rng.random() < 0.15 else None
        yield said(person, message, "Коли доставка?", shared_phone=own, shared_is_own=own is not None)
        if rng.random() < 0.15:
            yield said(person, message, "Коли буде доставка?", edited_at=person.later())


def said(person: Person, message: str, text: str, **more: Any) -> Delivery:
    return person.line(
        "MessageReported",
        channel="telegram",
        chat=person.chat,
        chat_kind="private",
        message=message,
        sender=person.chat,
        sender_name=person.name,
        text=text,
        **more,
    )


def pays_for_nothing(person: Person) -> Iterator[Delivery]:
    """Money that no deal waits for."""
    yield from pays(person, "", person.rng.randrange(1_00, 500_00))


def sends_half_a_form(person: Person) -> Iterator[Delivery]:
    """Cut before its first field is whole: it is acknowledged, and waits in quarantine."""
    body = msgspec.json.encode({person.new("cut"): person.name}).partition(b":")[0]
    id = named_id(person.shop.form, f"quarantine/{sha256(body).hexdigest()}")
    yield Delivery(person.shop, Kind("DeliveryQuarantined", person.shop.workspace), body, None, JSON, id)


STORIES: dict[Story, float] = {  # and how often each is told
    orders: 35,
    asks: 10,
    calls: 25,
    writes: 25,
    pays_for_nothing: 4,
    sends_half_a_form: 1,
}
