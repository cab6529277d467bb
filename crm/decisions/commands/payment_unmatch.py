"""paymentUnmatch: somebody says that a payment is not for the deal that it was matched to."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.decisions.unmatching import unmatched
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Payment


class PaymentUnmatch(Command, frozen=True, gc=False, kw_only=True):
    """Takes a payment off its deal, or off all deals that it was split over: its money goes back, the stage follows as
    after a refund, and what the match taught is forgotten: its payer is known by its account no more. It is parked
    until paymentMatch: no rule matches it again, whatever its bank reports."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="payment")
def payment_unmatch(command: PaymentUnmatch, case: Case) -> Iterator[Event]:
    payment = require(case.state, Payment, command.payment_id, "paymentId")
    require_version(payment, command.expected_version)
    if not payment.deals:
        raise Rejected("paymentId", Code.UNCHANGED, "It is matched to no deal. Nothing was changed.")
    yield from unmatched(case, payment, command.why)
