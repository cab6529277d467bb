"""What a payment is for: the deal that it names, or the one deal of its payer that waits for exactly this sum."""

from collections.abc import Iterator
from typing import NamedTuple

from crm.decisions.case import State
from crm.decisions.contacts import Way, card_of, cards
from crm.decisions.purpose import number_of, numbers_in
from crm.decisions.settling import in_words
from crm.facts import PaymentReported
from crm.shared import Payer
from crm.state import Deal, DealNumber, DealReference, Numbers, Payment, key, known
from crm.state.entities import ONLY

NUMBERS_AHEAD = 1000  # a number so far past the last deal's is somebody else's numbering


class Match(NamedTuple):
    """The deal, how it was found, and that in words."""

    deal: Deal
    by: str
    why: str


class Nothing(NamedTuple):
    """Why nothing fits, and what would find it."""

    why: str
    hints: tuple[str, ...] = ()


def find(state: State, report: PaymentReported) -> Match | Nothing:
    """A deal that is named comes before the payer's; two different ones that are named are one too many."""
    numbers = {*numbers_in(report.purpose)}
    reference = report.reference.strip()
    if (number := number_of(reference)) is not None:
        numbers.add(number)
    deals = {n: deal for n in sorted(numbers) if (deal := numbered(state, n))}
    named = {deal.deal_id: Match(deal, "number", f"it names D-{n}") for n, deal in deals.items()}
    for deal in referred(state, reference):
        named.setdefault(deal.deal_id, Match(deal, "reference", f"its reference is {reference}, of D-{deal.number}"))
    if len(named) == 1:
        (only,) = named.values()
        return in_its_currency(only, report.currency)
    if named:
        names = ", ".join(f"D-{match.deal.number}" for match in named.values())
        return Nothing(f"it names several deals: {names}")
    payer = by_payer(state, report.payer, report.status, report.amount_minor, report.currency)
    if isinstance(payer, Match):
        return payer
    last = state.get(Numbers, ONLY)
    near = (last.deals if last else 0) + NUMBERS_AHEAD
    missing = [f"no deal has the number D-{n}" for n in sorted(numbers)]
    hints = [f"number:{n}" for n in sorted(numbers) if n <= near]
    if reference and number is None:
        missing.append(f"no deal has the reference {reference}")
        hints.append(reference_hint(reference))
    return Nothing("; ".join([*missing, payer.why]), (*hints, *payer.hints))


def numbered(state: State, number: int) -> Deal | None:
    entry = state.get(DealNumber, str(number))
    return known(state, Deal, entry.deal_id) if entry else None


def referred(state: State, reference: str) -> list[Deal]:
    """The deals with this reference: the open ones, if any is open."""
    entry = state.get(DealReference, key(reference)) if reference else None
    deals = [known(state, Deal, deal_id) for deal_id in entry.deals] if entry else []
    return [deal for deal in deals if deal.open] or deals


def in_its_currency(match: Match, currency: str) -> Match | Nothing:
    """Money is never converted: what rate would be right is for a person to say."""
    deal = match.deal
    if deal.currency == currency:
        return match
    return Nothing(f"{match.why}, but it is in {currency} and D-{deal.number} in {deal.currency}")


def by_payer(state: State, payer: Payer, status: str, amount_minor: int, currency: str) -> Match | Nothing:
    """Only settled money is matched so: what is held may still change its sum."""
    ways = [way.key for way in ways_of(payer)]
    if not ways:
        return Nothing("it does not tell a payer that we could know")
    hints = tuple(f"payer:{way}" for way in ways)
    sum_in_words = in_words(amount_minor, currency)
    if status != "settled":
        return Nothing(f"its payer's deal is looked for when it is settled, and it is {status}", hints)
    contacts = {contact.contact_id: contact for way in ways if (contact := card_of(state, way))}
    if not contacts:
        return Nothing("its payer is not known", hints)
    waiting = [
        deal
        for contact in contacts.values()
        for one in cards(state, contact)
        for deal_id in one.open_deals
        if (deal := known(state, Deal, deal_id)).currency == currency and deal.outstanding_minor == amount_minor
    ]
    if len(waiting) == 1:
        (deal,) = waiting
        return Match(deal, "payer", f"D-{deal.number} is the payer's one deal that waits for {sum_in_words}")
    how_many = "several deals that wait" if waiting else "no deal that waits"
    return Nothing(f"its payer has {how_many} for exactly {sum_in_words}", hints)


def again(state: State, payment: Payment, hint: str, deal: Deal | None) -> Match | Nothing:
    """A parked payment, now that what it waited for is there."""
    if hint.startswith("payer:") or deal is None:
        return by_payer(state, payment.payer, payment.status, payment.amount_minor, payment.currency)
    by = hint.partition(":")[0]
    return in_its_currency(Match(deal, by, f"it waited for this {by}: D-{deal.number}"), payment.currency)


def ways_of(payer: Payer) -> Iterator[Way]:
    """How a payer can be known. A masked card is many people's."""
    if payer.phone:
        yield Way("phone", payer.phone)
    if payer.email:
        yield Way("email", payer.email.lower())
    yield from accounts_of(payer)


def accounts_of(payer: Payer) -> Iterator[Way]:
    """What only banks tell, and so what a payment can teach about a contact."""
    if payer.iban:
        yield Way("iban", payer.iban.replace(" ", "").upper())
    if payer.tax_id:
        yield Way("tax_id", payer.tax_id.strip())


def reference_hint(reference: str) -> str:
    return f"reference:{key(reference)}"
