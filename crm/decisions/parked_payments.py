"""Matches parked payments, and attaches parked parcels, when what they waited for arrives."""

from collections.abc import Iterator

from crm.decisions.case import Case
from crm.decisions.contacts import card, identified
from crm.decisions.matching import Match, find
from crm.decisions.names import Likeness, likeness
from crm.decisions.parcel_deals import retry_parcel
from crm.decisions.payers import accounts_of, holders_of, tied_to, ties
from crm.decisions.payment_evidence import PaymentDetails, earlier_references, reference_hint
from crm.decisions.same_money import REPORTED_BEFORE
from crm.decisions.settlement import settle
from crm.envelope import Event
from crm.events import PaymentMatched, PaymentParked
from crm.scalars import Id
from crm.shared import Payer
from crm.state import Deal, Parked, Payment, known, shelf
from crm.state.parcels import PARCEL


def retry_parked(case: Case, contact_id: Id, deal_id: Id | None = None, reference: str = "") -> Iterator[Event]:
    """Yields the events of payments and parcels that waited for a contact's new identifier or deal."""
    hints = [f"payer:{identifier}" for identifier in card(case.state, contact_id).identifiers]
    if deal_id and reference:
        hints = [reference_hint(reference), *hints]
    for hint in hints:
        parked = case.state.get(Parked, shelf(hint))
        for waits_for, id in parked.waiting if parked else ():
            if waits_for == hint:
                yield from retry(case, id, hint, deal_id)
            elif waits_for == PARCEL:
                yield from retry_parcel(case, id, by_phone=hint.startswith("payer:"), new_deal=deal_id is not None)


def retry(case: Case, payment_id: Id, hint: str, deal_id: Id | None) -> Iterator[Event]:
    payment = known(case.state, Payment, payment_id)
    if payment.deals or payment.amount_minor < 0:  # matched a moment ago, or money that went out
        return
    if payment.parked.startswith(REPORTED_BEFORE):
        return
    by_payer = hint.startswith("payer:")
    deal = known(case.state, Deal, deal_id) if deal_id else None
    if by_payer and deal and deal.outstanding_minor != payment.amount_minor and not payment.candidates:
        return  # the payer's new deal waits for another sum, and nothing else could name it
    match = find(case.state, details_of(payment))
    if isinstance(match, Match):
        yield from matched(case, payment, match)
    elif not by_payer:
        left = tuple(h for h in payment.hints if h != hint)
        yield PaymentParked(case.meta(payment_id), payment_id, match.why, left, match.candidates)


def details_of(payment: Payment) -> PaymentDetails:
    """A parked payment with all that its reports said."""
    return PaymentDetails(
        payment.purpose,
        payment.references,
        payment.payer,
        payment.status,
        payment.amount_minor,
        payment.currency,
        earlier_references(payment),
        payment.candidates,
    )


def matched(case: Case, payment: Payment, match: Match) -> Iterator[Event]:
    deal = match.deal
    yield PaymentMatched(
        meta=case.meta(payment.payment_id),
        payment_id=payment.payment_id,
        deal_id=deal.deal_id,
        contact_id=deal.contact_id,
        by=match.by,
        why=match.why,
        taught=ties(case.state, payment.payer, deal.contact_id),
        suspicious=match.suspicious,
        source=deal.source,
    )
    yield from settle(case, deal.deal_id, None, known(case.state, Payment, payment.payment_id))
    if match.teaches:
        yield from learnt(case, deal.contact_id, payment.payer)


def learnt(case: Case, contact_id: Id, payer: Payer) -> Iterator[Event]:
    """Who has paid from an account once is known by it, unless it is called otherwise: payment companies, carriers,
    banks and accountants pay for many. So does an account that has paid for somebody else, or that another one has."""
    accounts = list(accounts_of(payer))
    if not accounts:
        return
    contact = card(case.state, contact_id)
    if likeness(payer.name, contact.name) in (Likeness.OTHER, Likeness.PART):
        return
    identifiers = [
        identifier
        for identifier in accounts
        if holders_of(case.state, identifier.key) or tied_to(case.state, identifier).keys() <= {contact.contact_id}
    ]
    before = case.events
    yield from identified(case, contact_id, identifiers)
    if case.events > before:
        yield from retry_parked(case, contact_id)
