"""paymentCorrect: somebody says what the sum and the currency of a payment really are."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Money, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import amount_or_default, require, require_version
from crm.decisions.matching import Match, find
from crm.decisions.parked_payments import details_of, matched
from crm.decisions.payment import parked
from crm.decisions.settlement import in_words, settle
from crm.decisions.unmatching import unmatched
from crm.envelope import Event
from crm.events import PaymentCorrected
from crm.scalars import Id
from crm.state import Deal, Payment, known


class PaymentCorrect(Command, frozen=True, gc=False, kw_only=True):
    """Corrects the sum or the currency of a payment that its provider reported wrongly or that was misread. Later
    reports of it are read in the same way. A parked payment is matched again at once; one that is matched to a deal
    of another currency is taken off it."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    amount: Annotated[Money, About(description="What it is. Its currency is what the account got.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Reason, shown to people; the system does not use it.")] = ""


@command(row="payment")
def payment_correct(command: PaymentCorrect, case: Case) -> Iterator[Event]:
    payment = require(case.state, Payment, command.payment_id, "paymentId")
    require_version(payment, command.expected_version)
    amount, currency = amount_or_default(case, command.amount, payment.currency)
    if payment.amount_minor < 0:
        raise Rejected("paymentId", Code.INVALID, "It is money that went out: it pays no deal. Nothing was changed.")
    if (amount, currency) == (payment.amount_minor, payment.currency):
        raise Rejected("amount", Code.UNCHANGED, "It is this sum already. Nothing was changed.")
    if payment.shares and amount != payment.amount_minor:
        raise Rejected("amount", Code.IN_USE, "It is split: paymentUnmatch it first. Nothing was changed.")
    before = payment.correction
    was = in_words(payment.amount_minor, payment.currency)
    yield PaymentCorrected(
        meta=case.meta(payment.payment_id),
        payment_id=payment.payment_id,
        reported_minor=before.reported_minor if before else payment.amount_minor,
        reported_currency=before.reported_currency if before else payment.currency,
        amount_minor=amount,
        currency=currency,
        why=command.why or f"it was taken for {was}",
    )
    right = known(case.state, Payment, payment.payment_id)
    if right.deals:
        yield from settled_again(case, payment, right)
    elif not right.by_hand:
        found = find(case.state, details_of(right))
        yield from matched(case, right, found) if isinstance(found, Match) else parked(case, right, found)


def settled_again(case: Case, payment: Payment, right: Payment) -> Iterator[Event]:
    """Money in another currency leaves the deal: it is never converted."""
    deals = [known(case.state, Deal, deal_id) for deal_id in right.deals]
    for deal in deals:
        yield from settle(case, deal.deal_id, payment, right)
    if any(deal.currency != right.currency for deal in deals):
        yield from unmatched(case, right, f"it is {in_words(right.amount_minor, right.currency)}")
