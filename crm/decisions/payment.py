"""Story 2: a payment finds its deal and moves its stage; what fits nothing is parked until its deal arrives."""

from collections.abc import Iterator

from crm.decisions.awaited import learnt, matched
from crm.decisions.case import Case, State
from crm.decisions.delivery import quarantined
from crm.decisions.matching import Match, Nothing, find
from crm.decisions.settling import settle
from crm.decisions.workspace import LARGEST_SUM
from crm.envelope import Event, named_id
from crm.events import PaymentParked, PaymentRecorded, PaymentReportOutdated
from crm.facts import PaymentReported
from crm.scalars import Id, Micros
from crm.state import Deal, Parked, Payment, known, shelf

STATUSES = ("created", "expired", "failed", "held", "settled", "reversed")  # the later one wins at the same instant
MOST_WAITING = 500  # payments on one shelf; those past it are matched by hand, or each one would cost all before it


def payment_reported(report: PaymentReported, case: Case) -> Iterator[Event]:
    payment_id = payment_id_of(report)
    if abs(report.amount_minor) > LARGEST_SUM or not 0 <= report.refunded_minor <= LARGEST_SUM:
        yield quarantined(case, report.meta.actor, f"no payment is of {report.amount_minor}: the sum cannot be true")
        return
    before = case.state.get(Payment, payment_id)
    if before and age(report) <= age(before):
        same = age(report) == age(before)
        why = "it says what is known already" if same else f"a newer report said {before.status}"
        yield PaymentReportOutdated(case.meta(payment_id), payment_id, report.status, why)
    else:
        yield recorded(case, payment_id, report)
    payment = known(case.state, Payment, payment_id)
    if payment.deal_id:
        yield from settle(case, payment.deal_id, before, payment)
        yield from learnt_again(case, payment.deal_id, report)
    elif payment.amount_minor >= 0 and not payment.by_hand:
        # An outdated report may still be the one that names the deal: so any order of reports ends the same.
        found = find(case.state, report)
        if isinstance(found, Match):
            yield from matched(case, payment, found)
        else:
            yield from parked(case, payment, found)


def payment_id_of(report: PaymentReported) -> Id:
    return named_id(report.meta.workspace, f"payment/{report.provider}/{report.payment}")


def age(state: PaymentReported | Payment) -> tuple[Micros, int, int, int, str, str]:
    """Reports are in one order, whoever comes first: the provider's clock, then the more advanced state."""
    rank = STATUSES.index(state.status) if state.status in STATUSES else -1
    return state.changed_at, rank, state.refunded_minor, state.amount_minor, state.currency, state.status


def recorded(case: Case, payment_id: Id, report: PaymentReported) -> PaymentRecorded:
    return PaymentRecorded(
        meta=case.meta(payment_id),
        payment_id=payment_id,
        provider=report.provider,
        payment=report.payment,
        status=report.status,
        amount_minor=report.amount_minor,
        currency=report.currency,
        refunded_minor=report.refunded_minor,
        purpose=report.purpose,
        reference=report.reference,
        payer=report.payer,
        account=report.account,
        changed_at=report.changed_at,
    )


def learnt_again(case: Case, deal_id: Id, report: PaymentReported) -> Iterator[Event]:
    """A later report may tell the payer that the first one did not."""
    deal = known(case.state, Deal, deal_id)
    yield from learnt(case, deal.contact_id, report.payer)


def parked(case: Case, payment: Payment, nothing: Nothing) -> Iterator[Event]:
    """What earlier reports of it waited for it waits for still."""
    fresh = [hint for hint in nothing.hints if hint not in payment.hints]
    room = [hint for hint in fresh if waiting(case.state, hint) < MOST_WAITING]
    why = nothing.why
    if len(room) < len(fresh):
        why += f"; {MOST_WAITING} payments wait for the same already: match it by hand"
    hints = tuple(sorted({*payment.hints, *room}))
    if why != payment.parked or hints != payment.hints:
        yield PaymentParked(case.meta(payment.payment_id), payment.payment_id, why, hints)


def waiting(state: State, hint: str) -> int:
    parked = state.get(Parked, shelf(hint))
    return len(parked.waiting) if parked else 0
