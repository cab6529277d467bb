"""What a payment does to its deal: the paid and the held sum, and the stage that follows from them."""

from collections.abc import Iterator

from crm.decisions.case import Case
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import DealPaid, DealStageMoved
from crm.scalars import Id
from crm.state import Deal, Payment, Workspace, known
from crm.state.parcels import BY_PAYMENT
from crm.vocabulary import PaymentStatus

# Digits after the point, ISO 4217: all other currencies have 2.
NO_DIGITS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
THREE_DIGITS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905  # a list of 23 codes reads worse


def in_words(minor: int, currency: str) -> str:
    """100.50 UAH. Whole numbers all the way."""
    digits = 0 if currency in NO_DIGITS else 3 if currency in THREE_DIGITS else 2
    whole, rest = divmod(abs(minor), 10**digits)
    point = f".{rest:0{digits}}" if digits else ""
    return f"{'-' if minor < 0 else ''}{whole}{point} {currency}"


def given(payment: Payment | None, deal: Deal, status: PaymentStatus) -> int:
    """What a payment that stands so gives to a deal, refunds taken off. Money that went out gives nothing, and money in
    another currency is none of the deal's."""
    if payment is None or payment.status != status or payment.currency != deal.currency:
        return 0
    rest = max(0, payment.amount_minor - payment.refunded_minor)
    if not payment.shares:
        return rest
    return shared(payment, rest).get(deal.deal_id, 0)


def shared(payment: Payment, rest: int) -> dict[Id, int]:
    """What each deal has of a split payment. Refunds are taken from the last share first; what is more than all shares
    goes to the last."""
    gets = {}
    for share in payment.shares:
        last = share is payment.shares[-1]
        gets[share.deal_id] = rest if last else min(rest, share.amount_minor)
        rest -= gets[share.deal_id]
    return gets


def settle(case: Case, deal_id: Id, before: Payment | None, payment: Payment | None) -> Iterator[Event]:
    """`before`: what of this payment the deal has already counted, None when nothing; `payment`: what it shall count,
    None when the payment is for it no more. One of them is there."""
    either = payment or before
    assert either
    deal = known(case.state, Deal, deal_id)
    change = given(payment, deal, PaymentStatus.SETTLED) - given(before, deal, PaymentStatus.SETTLED)
    held = given(payment, deal, PaymentStatus.HELD) - given(before, deal, PaymentStatus.HELD)
    if change == held == 0:
        return
    paid = deal.paid_minor + change
    why = f"{moved_sum(change, held, deal.currency)}: {balance_text(deal.amount_minor, paid, deal.currency)}"
    yield DealPaid(
        meta=case.meta(deal.contact_id),
        deal_id=deal_id,
        contact_id=deal.contact_id,
        payment_id=either.payment_id,
        change_minor=change,
        paid_minor=paid,
        held_minor=deal.held_minor + held,
        currency=deal.currency,
        why=why,
        held_change_minor=held,
    )
    if change:
        yield from followed(case, deal, paid, why)


def restaged(case: Case, deal_id: Id) -> Iterator[Event]:
    """The stage of a deal whose sum was changed; one that nobody paid for stays where it is."""
    deal = known(case.state, Deal, deal_id)
    if deal.paid_minor:
        paid = deal.paid_minor
        yield from followed(
            case, deal, paid, f"its sum is another: {balance_text(deal.amount_minor, paid, deal.currency)}"
        )


def followed(case: Case, deal: Deal, paid: int, why: str) -> Iterator[Event]:
    stage = stage_after(workspace_of(case), deal, paid)
    if stage != deal.stage:
        meta = case.meta(deal.contact_id, BY_PAYMENT)
        yield DealStageMoved(meta, deal.deal_id, deal.contact_id, deal.stage, stage, why)


def moved_sum(change: int, held: int, currency: str) -> str:
    if change > 0:
        return f"{in_words(change, currency)} came"
    if change < 0:
        return f"{in_words(-change, currency)} went back"
    return f"{in_words(held, currency)} is held" if held > 0 else f"{in_words(-held, currency)} is held no more"


def balance_text(amount: int, paid: int, currency: str) -> str:
    if amount == 0:
        return f"{in_words(paid, currency)} is paid, the deal's sum is not known"
    if paid > amount:
        return f"paid in full, {in_words(paid - amount, currency)} too much"
    return "paid in full" if paid == amount else f"{in_words(paid, currency)} of {in_words(amount, currency)} is paid"


def stage_after(workspace: Workspace, deal: Deal, paid: int) -> str:
    """Money moves a deal forward. It takes back only what money gave: the paid and the part-paid stage. A deal of
    unknown sum can only be part-paid. A lost deal, and one that somebody put further on, stay where they are."""
    by_money = (workspace.part_paid_stage, workspace.paid_stage)
    if deal.stage not in workspace.stages and deal.stage not in by_money:
        return deal.stage
    if paid >= deal.amount_minor > 0:
        target = workspace.paid_stage
    else:
        target = workspace.part_paid_stage if paid > 0 else workspace.stages[0]
    forward = place(workspace, target) > place(workspace, deal.stage)
    return target if forward or deal.stage in by_money else deal.stage


def place(workspace: Workspace, stage: str) -> int:
    """Outcomes come after the pipeline."""
    return workspace.stages.index(stage) if stage in workspace.stages else len(workspace.stages)
