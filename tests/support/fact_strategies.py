"""Facts of every type for property tests: few values, so that they often refer to the same things."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from crm.envelope import Fact
from crm.shared import OrderLine, Payer, Phone
from crm.vocabulary import ParcelStatus
from tests.support.scenarios import (
    MINUTE,
    NOON,
    call,
    contact_report,
    deal_report,
    form,
    mail,
    message,
    order_report,
    paid,
    parcel,
    phone,
)

PHONES = ["+380501112233", "+380679998877", "+380630000001"]
EMAILS = ["a@ua.net", "b@ua.net", "info@ua.net"]
IBANS = ["UA213223130000026007233566001", "UA213223130000026007233566002"]
MONEY = ["created", "held", "settled", "settled", "reversed", "failed", "expired"]


def some(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from(values)


forms = st.fixed_dictionaries(
    {
        "at": st.integers(0, 30).map(lambda minutes: NOON + minutes * MINUTE),
        "phones": st.lists(some(*PHONES), max_size=2, unique=True),
        "emails": st.lists(some(*EMAILS), max_size=2, unique=True).map(tuple),
        "amount_minor": some(None, 100, 250),
        "reference": some("", "R-1"),
        "name": some("", "Oleh", "Ivan Bondar"),
        "suspicious": some("", "", "", "a hidden field was filled in"),
    }
)
payments = st.fixed_dictionaries(
    {
        "payment": some("a", "b", "c"),
        "amount": some(-100, 50, 100, 250),
        "status": some(*MONEY),
        "changed_at": st.integers(NOON, NOON + 4),
        "refunded_minor": some(0, 30),
        "purpose": some("", "D-1", "D-2", "D-1, D-3", "замовлення №1", "рахунок 2"),
        "reference": some("", "R-1"),
        "payer": st.builds(Payer, name=some("", "Oleh Koval"), phone=some("", *PHONES), iban=some("", *IBANS)),
        "currency": some("UAH", "UAH", "USD"),
        "account": some("", "UA213052990000026001234567890"),
    }
)
numbers = [Phone(number, number) for number in PHONES]
calls = st.fixed_dictionaries(
    {
        "call": some("x", "y", "z"),
        "phase": some("ringing", "answered", "completed"),
        "phone": some(Phone("", ""), Phone("hidden", ""), Phone("901", ""), *numbers),
        "direction": some("in", "in", "out", ""),
        "line": some("", "044"),
    }
)
messages = st.fixed_dictionaries(
    {
        "chat": some("7", "8"),
        "sender": some("7", "8"),
        "message": some("1", "2"),
        "chat_kind": some("private", "private", "group"),
        "edited_at": some(None, None, NOON + 1, NOON + 2),
        "sent_at": some(None, NOON, NOON + 1),
        "revision": some(0, 1),
        "direction": some("in", "in", "out"),
        "person": some(True, True, False),
        "kind": some("", "", "service", "deleted"),
        "former_chat": some("", "", "", "8"),
        "text": some("a", "b"),
        "shared_phone": some(None, *numbers),
        "shared_is_own": st.booleans(),
    }
)
mails = st.fixed_dictionaries(
    {
        "mail": some("m1", "m2", "m3"),
        "at": st.integers(0, 3).map(lambda minutes: NOON + minutes * MINUTE),
        "references": st.lists(some("m1", "m2", "m3", "m4"), max_size=2, unique=True).map(tuple),
        "direction": some("in", "in", "out"),
        "customer": some("", *EMAILS),
        "customer_name": some("", "Oleh", "Ivan Bondar"),
        "by_mailer": some(False, False, True),
        "automatic": some("", "", "bulk"),
        "text": some("", "a", "b"),
    }
)
parcels = st.fixed_dictionaries(
    {
        "tracking_number": some("A", "B"),
        "status": some(*ParcelStatus),
        "changed_at": some(None, NOON, NOON + 1, NOON + 2),
        "reference": some("", "R-1", "D-1"),
        "phone": some(None, *numbers),
        "return_number": some("", "", "B"),
    }
)
reported = {
    "key": some("1", "2"),
    "version": st.integers(1, 3),
    "at": st.integers(0, 3).map(lambda minutes: NOON + minutes * MINUTE),
    "phones": st.lists(some(*PHONES).map(lambda number: phone(str(number))), max_size=1).map(tuple),
    "emails": st.lists(some(*EMAILS), max_size=1).map(tuple),
    "name": some("", "Oleh", "Ivan Bondar"),
    "deleted": some(None, None, True),
    "merged_into": some(None, None, None, "1", "2", ""),
    "fields": st.dictionaries(some("x", "y"), some("1", '"a"', "null"), max_size=2),
}
deal_reports = st.fixed_dictionaries(
    {
        **reported,
        "contact_key": some(None, "1", "2"),
        "stage": some(None, "in_progress", "won", "shipped"),
        "owner": some(None, "", "anna"),
        "amount_minor": some(None, 100, 250),
        "currency": some(None, "UAH", "USD"),
        "reference": some(None, "", "R-1"),
    }
)
contact_reports = st.fixed_dictionaries(reported)
order_reports = st.fixed_dictionaries(
    {
        "at": reported["at"],
        "order": some("1", "2"),
        "contact_key": some(None, "1", "2"),
        "phones": reported["phones"],
        "emails": reported["emails"],
        "name": reported["name"],
        "deleted": some(None, None, True),
        "cancelled": some(None, False, True),
        "stage": some(None, "in_progress", "won", "shipped"),
        "number": some(None, "R-1"),
        "total_minor": some(None, 100, 250),
        "currency": some(None, "UAH", "USD"),
        "paid_minor": some(None, 0, 100, 250),
        "refunded_minor": some(0, 30),
        "lines": st.none()
        | st.lists(st.builds(OrderLine, some("1", "2"), quantity=some("1", "2")), max_size=2).map(tuple),
        "doubts": some((), ("The total is no sum.",)),
    }
)
reports_of_one = st.fixed_dictionaries(
    {
        "status": some(*MONEY),
        "changed_at": st.integers(NOON, NOON + 3),
        "amount": st.integers(0, 300),
        "refunded_minor": st.integers(0, 300),
        "reference": some("", "R-1"),
        "purpose": some("", "D-1"),
    }
)


@st.composite
def any_facts(draw: st.DrawFn) -> list[Fact]:
    """Draws up to fourteen facts with distinct keys."""
    kinds: dict[Callable[..., Fact], st.SearchStrategy[dict[str, Any]]]
    kinds = {form: forms, paid: payments, call: calls, message: messages, mail: mails, parcel: parcels}
    kinds |= {deal_report: deal_reports, contact_report: contact_reports, order_report: order_reports}
    chosen = draw(st.lists(st.sampled_from([*kinds]), max_size=14))
    return [make(str(n), **draw(kinds[make])) for n, make in enumerate(chosen)]
