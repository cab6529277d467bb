"""Taking back what a match did: its money leaves the deal, and what it taught of the payer is forgotten."""

from collections.abc import Iterator

from crm.decisions.case import Case
from crm.decisions.contacts import card, cards, taken
from crm.decisions.payers import accounts_of
from crm.decisions.settlement import settle
from crm.envelope import Event
from crm.events import PaymentUnmatched
from crm.state import Deal, PaidFrom, Payment, known


def unmatched(case: Case, payment: Payment, why: str) -> Iterator[Event]:
    """From each deal that it is for."""
    deals = [known(case.state, Deal, deal_id) for deal_id in payment.deals]
    for deal in deals:
        said = why or f"it is not for D-{deal.number}, somebody said"
        meta = case.meta(payment.payment_id)
        yield PaymentUnmatched(meta, payment.payment_id, deal.deal_id, deal.contact_id, said)
    for deal in deals:
        yield from settle(case, deal.deal_id, payment, None)
        yield from forgotten(case, payment, deal)


def forgotten(case: Case, payment: Payment, deal: Deal) -> Iterator[Event]:
    """Only payments teach accounts. What another payment of this contact has shown too stays known."""
    contact = card(case.state, deal.contact_id)
    ids = {one.contact_id for one in cards(case.state, contact)}
    for identifier in accounts_of(payment.payer):
        tied = case.state.get(PaidFrom, identifier.key)
        if not tied or not any(contact_id in ids for contact_id, _ in tied.payments):
            yield from taken(case, contact, identifier, "a payment from it was unmatched")
