"""paymentSplit: somebody says that a payment is for several deals, and how much of it for each."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.decisions.payable import payable
from crm.decisions.settlement import in_words, settle
from crm.decisions.unmatching import unmatched
from crm.envelope import Event
from crm.events import PaymentShared
from crm.scalars import Id
from crm.state import Deal, Payment, known

MOST = 50  # shares


class PaymentShare(Struct, frozen=True, gc=False):
    """What one deal gets of a payment."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    minor: Annotated[int, About(gt=0, description="How much, in the smallest unit of the payment's currency.")]


class PaymentSplit(Command, frozen=True, gc=False, kw_only=True):
    """Splits a payment over several deals. The shares make up its whole sum, refunds not taken off; a refund is taken
    from the last share first. Where it was before it is taken off. Splitting it again changes the shares."""

    payment_id: Annotated[Id, About(description="Which payment.")]
    shares: Annotated[tuple[PaymentShare, ...], About(description="Two or more, each for another deal.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Reason, shown to people; the system does not use it.")] = ""


@command(row="payment")
def payment_split(command: PaymentSplit, case: Case) -> Iterator[Event]:
    payment = require(case.state, Payment, command.payment_id, "paymentId")
    require_version(payment, command.expected_version)
    shares = command.shares
    if not 1 < len(shares) <= MOST or len({share.deal_id for share in shares}) < len(shares):
        why = f"Give two to {MOST} shares, each for another deal. For one deal there is paymentMatch or paymentMove."
        raise Rejected("shares", Code.INVALID, f"{why} Nothing was changed.")
    deals = [require(case.state, Deal, share.deal_id, f"shares.{place}.dealId") for place, share in enumerate(shares)]
    for place, deal in enumerate(deals):
        payable(payment, deal, f"shares.{place}.dealId")
    if (total := sum(share.minor for share in shares)) != payment.amount_minor:
        said, whole = (in_words(minor, payment.currency) for minor in (total, payment.amount_minor))
        raise Rejected(
            "shares", Code.INVALID, f"The shares make {said}, and the payment is {whole}. Nothing was changed."
        )
    if [(share.deal_id, share.amount_minor) for share in payment.shares] == [(s.deal_id, s.minor) for s in shares]:
        raise Rejected("shares", Code.UNCHANGED, "It is split so already. Nothing was changed.")
    if payment.deals:
        yield from unmatched(case, payment, command.why)
    for share, deal in zip(shares, deals, strict=True):
        part = f"{in_words(share.minor, payment.currency)} of {in_words(payment.amount_minor, payment.currency)}"
        why = f"{part}: {command.why or 'split by hand'}"
        meta = case.meta(payment.payment_id)
        yield PaymentShared(meta, payment.payment_id, deal.deal_id, deal.contact_id, share.minor, why, deal.source)
    split = known(case.state, Payment, payment.payment_id)
    for deal in deals:
        yield from settle(case, deal.deal_id, None, split)
