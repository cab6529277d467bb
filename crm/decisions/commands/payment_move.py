"""paymentMove: somebody says that a payment is for another deal than the one that it was matched to."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.decisions.matching import Match
from crm.decisions.parked_payments import matched
from crm.decisions.payable import payable
from crm.decisions.unmatching import unmatched
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Deal, Payment, known


class PaymentMove(Command, frozen=True, gc=False, kw_only=True):
    """Moves a payment to another deal: paymentUnmatch and paymentMatch in one. The money leaves where it was, with what
    the match taught, and counts where it is said to belong."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    deal_id: Annotated[Id, About(description="Which deal it is for.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Reason, shown to people; the system does not use it.")] = ""


@command(row="payment")
def payment_move(command: PaymentMove, case: Case) -> Iterator[Event]:
    payment = require(case.state, Payment, command.payment_id, "paymentId")
    deal = require(case.state, Deal, command.deal_id, "dealId")
    require_version(payment, command.expected_version)
    if payment.deals == (deal.deal_id,):
        raise Rejected("dealId", Code.UNCHANGED, f"It is matched to D-{deal.number} already. Nothing was changed.")
    payable(payment, deal, "dealId")
    if payment.deals:
        yield from unmatched(case, payment, command.why)
    moved = known(case.state, Payment, payment.payment_id)
    yield from matched(case, moved, Match(deal, "hand", command.why or "moved by hand"))
