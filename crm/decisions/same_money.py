"""Money that may have been reported twice: by a bank's own reports and again by a statement, under two ids.

The same sum came to the same account within a day of each other, and payer and purpose do not contradict. One payment
of one provider stands for one of another provider; a second one is a payment of its own. What is uncertain is parked.
"""

import re

from crm.decisions.case import State
from crm.decisions.loading import Wanted
from crm.decisions.matching import Nothing
from crm.decisions.settlement import in_words
from crm.state import Arrival, Arrivals, Payment, arrivals_key
from crm.vocabulary import PaymentStatus

MONEY = (PaymentStatus.HELD, PaymentStatus.SETTLED)
DAYS = (0, -1, 1)
CUT = 30  # letters and digits of a purpose
# Begins the reason why a payment is parked that stands for no other.
REPORTED_BEFORE = "It may be the payment that "
NUMBERS = re.compile(r"\d+")
IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def reported_before(state: State, payment: Payment) -> Nothing | None:
    """Returns why a payment is parked that another provider seems to have reported; None when none has."""
    if payment.amount_minor <= 0 or payment.status not in MONEY:
        return None
    near = [one for days in DAYS for one in arrivals(state, payment, days)]
    own = next((one for one in near if one.payment_id == payment.payment_id), None)
    if own is None:
        return None
    alike = [one for one in near if one.payment_id != own.payment_id and may_be_one(one, own)]
    originals = [one for one in alike if one.provider != own.provider and counts(state, one)]
    doubles = sum(one.provider == own.provider and is_double(state, one) for one in alike)
    if len(originals) <= doubles:
        return None
    first = originals[doubles]
    sum_text = in_words(payment.amount_minor, payment.currency)
    return Nothing(
        f"{REPORTED_BEFORE}{first.provider} reported as {first.payment}: {sum_text} to the same account on the same "
        "day. If it is another one, say what it is for with paymentMatch"
    )


def arrivals(state: State, payment: Payment, days: int) -> tuple[Arrival, ...]:
    found = state.get(Arrivals, arrivals_key(payment.amount_minor, payment.currency, payment.changed_at, days))
    return found.payments if found else ()


def counts(state: State, one: Arrival) -> bool:
    """Whether it is money that came, and itself no double of another."""
    payment = state.get(Payment, one.payment_id)
    return payment is not None and payment.status in MONEY and not is_double(state, one)


def is_double(state: State, one: Arrival) -> bool:
    payment = state.get(Payment, one.payment_id)
    return payment is not None and not payment.deals and payment.parked.startswith(REPORTED_BEFORE)


def may_be_one(one: Arrival, other: Arrival) -> bool:
    """Whether nothing that both say contradicts."""
    if differ(one.account, other.account) or differ(one.iban, other.iban):
        return False
    if one.tax_id and other.tax_id and one.tax_id != other.tax_id:
        return False
    a, b = one.words, other.words
    long = min(len(a), len(b)) >= CUT  # a bank may have cut one of them, numbers too
    return not a or not b or numbers(a) == numbers(b) or (long and (a in b or b in a))


def differ(account: str, other: str) -> bool:
    """Two whole accounts: banks give some by a number of their own alone, which says nothing."""
    a, b = ("".join(text.split()).upper() for text in (account, other))
    return bool(IBAN.fullmatch(a) and IBAN.fullmatch(b) and a != b)


def numbers(words: str) -> list[str]:
    return sorted(NUMBERS.findall(words))


def wanted(amount_minor: int, currency: str, at: int) -> Wanted:
    if amount_minor > 0:
        yield from ((Arrivals, arrivals_key(amount_minor, currency, at, days)) for days in DAYS)
