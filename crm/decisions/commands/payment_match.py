"""paymentMatch: somebody says what a payment is for."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.awaited import matched
from crm.decisions.by_hand import as_seen, there
from crm.decisions.case import Case
from crm.decisions.matching import Match, in_its_currency
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Deal, Payment


class PaymentMatch(Command, frozen=True, gc=False, kw_only=True):
    """Says which deal a payment is for. Its money counts there at once, and its payer is known by its account."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    deal_id: Annotated[Id, About(description="Which deal it is for.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="payment")
def payment_match(command: PaymentMatch, case: Case) -> Iterator[Event]:
    payment = there(case.state, Payment, command.payment_id, "paymentId")
    deal = there(case.state, Deal, command.deal_id, "dealId")
    as_seen(payment, command.expected_version)
    if payment.deal_id == deal.deal_id:
        raise Rejected("dealId", Code.UNCHANGED, f"It is matched to D-{deal.number} already. Nothing was changed.")
    if payment.deal_id:
        raise Rejected("paymentId", Code.IN_USE, "It is matched to another deal: paymentUnmatch it first.")
    if payment.amount_minor < 0:
        raise Rejected("paymentId", Code.INVALID, "It is money that went out: it pays no deal. Nothing was changed.")
    match = in_its_currency(Match(deal, "hand", command.why or "by hand"), payment.currency)
    if not isinstance(match, Match):
        why = f"The payment is in {payment.currency} and D-{deal.number} in {deal.currency}; money is never converted."
        raise Rejected("dealId", Code.CURRENCY_MISMATCH, f"{why} Nothing was changed.")
    yield from matched(case, payment, match)
