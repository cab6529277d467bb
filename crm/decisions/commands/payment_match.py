"""paymentMatch: somebody says what a payment is for."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.decisions.matching import Match
from crm.decisions.parked_payments import matched
from crm.decisions.payable import payable
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Deal, Payment


class PaymentMatch(Command, frozen=True, gc=False, kw_only=True):
    """Says which deal a payment is for. Its money counts there at once, and its payer is known by its account, unless
    the payer is called otherwise than the deal's contact."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    deal_id: Annotated[Id, About(description="Which deal it is for.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="payment")
def payment_match(command: PaymentMatch, case: Case) -> Iterator[Event]:
    payment = require(case.state, Payment, command.payment_id, "paymentId")
    deal = require(case.state, Deal, command.deal_id, "dealId")
    require_version(payment, command.expected_version)
    if payment.deal_id == deal.deal_id:
        raise Rejected("dealId", Code.UNCHANGED, f"It is matched to D-{deal.number} already. Nothing was changed.")
    if payment.deals:
        raise Rejected(
            "paymentId", Code.IN_USE, "It is matched to another deal: paymentMove moves it. Nothing was changed."
        )
    payable(payment, deal, "dealId")
    yield from matched(case, payment, Match(deal, "hand", command.why or "by hand"))
