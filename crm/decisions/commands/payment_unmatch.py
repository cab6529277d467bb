"""paymentUnmatch: somebody says that a payment is not for the deal that it was matched to."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.by_hand import as_seen, there
from crm.decisions.case import Case
from crm.decisions.contacts import card, cards
from crm.decisions.matching import accounts_of
from crm.decisions.settling import settle
from crm.envelope import Event
from crm.events import IdentifierRemoved, PaymentUnmatched
from crm.scalars import Id
from crm.state import Deal, Payment, known


class PaymentUnmatch(Command, frozen=True, gc=False, kw_only=True):
    """Takes a payment off its deal: its money goes back, the stage follows as after a refund, and its payer is known by
    its account no more. It is parked until paymentMatch: no rule matches it again, whatever its bank reports."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="payment")
def payment_unmatch(command: PaymentUnmatch, case: Case) -> Iterator[Event]:
    payment = there(case.state, Payment, command.payment_id, "paymentId")
    as_seen(payment, command.expected_version)
    if not payment.deal_id:
        raise Rejected("paymentId", Code.UNCHANGED, "It is matched to no deal. Nothing was changed.")
    deal = known(case.state, Deal, payment.deal_id)
    meta, why = case.meta(payment.payment_id), command.why or f"it is not for D-{deal.number}, somebody said"
    yield PaymentUnmatched(meta, payment.payment_id, deal.deal_id, deal.contact_id, why)
    yield from settle(case, deal.deal_id, payment, None)
    for way in accounts_of(payment.payer):  # only payments teach them: the right match will teach them again
        for one in list(cards(case.state, card(case.state, deal.contact_id))):
            if way.key in one.identifiers:
                meta = case.meta(one.contact_id)
                yield IdentifierRemoved(meta, one.contact_id, way.kind, way.value, "a payment from it was unmatched")
