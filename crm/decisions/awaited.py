"""Late facts heal themselves: what a parked payment waited for arrives, and it finds its deal."""

from collections.abc import Iterator

from crm.decisions.case import Case
from crm.decisions.contacts import card, identified
from crm.decisions.matching import Match, accounts_of, again, reference_hint
from crm.decisions.settling import settle
from crm.envelope import Event
from crm.events import PaymentMatched, PaymentParked
from crm.scalars import Id
from crm.shared import Payer
from crm.state import Deal, Parked, Payment, known, shelf


def awaited(case: Case, contact_id: Id, deal_id: Id | None = None, reference: str = "") -> Iterator[Event]:
    """To be called when a contact got an identifier or a deal: payments may have waited for them."""
    deal = known(case.state, Deal, deal_id) if deal_id else None
    hints = [f"payer:{way}" for way in card(case.state, contact_id).identifiers]
    if deal:
        hints = [f"number:{deal.number}", *([reference_hint(reference)] if reference else ()), *hints]
    for hint in hints:
        parked = case.state.get(Parked, shelf(hint))
        for waits_for, payment_id in parked.waiting if parked else ():
            if waits_for == hint:
                yield from tried_again(case, payment_id, hint, deal)


def tried_again(case: Case, payment_id: Id, hint: str, deal: Deal | None) -> Iterator[Event]:
    payment = known(case.state, Payment, payment_id)
    if payment.deal_id or payment.amount_minor < 0:  # matched a moment ago, or money that went out
        return
    match = again(case.state, payment, hint, deal)
    if isinstance(match, Match):
        yield from matched(case, payment, match)
    elif not hint.startswith("payer:"):
        left = tuple(h for h in payment.hints if h != hint)
        yield PaymentParked(case.meta(payment_id), payment_id, match.why, left)


def matched(case: Case, payment: Payment, match: Match) -> Iterator[Event]:
    deal = match.deal
    meta = case.meta(payment.payment_id)
    yield PaymentMatched(meta, payment.payment_id, deal.deal_id, deal.contact_id, match.by, match.why)
    yield from settle(case, deal.deal_id, None, payment)
    yield from learnt(case, deal.contact_id, payment.payer)


def learnt(case: Case, contact_id: Id, payer: Payer) -> Iterator[Event]:
    """Who has paid from an account once is known by it. One that another contact has is doubted from now on."""
    before = case.events
    yield from identified(case, contact_id, list(accounts_of(payer)))
    if case.events > before:
        yield from awaited(case, contact_id)
