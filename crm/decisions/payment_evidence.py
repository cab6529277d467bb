"""Gathers the evidence for and against each deal that a payment could be for."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from crm.connector import HOME
from crm.currencies import UNKNOWN_CURRENCY
from crm.decisions.candidates import Candidate, Kind
from crm.decisions.case import State
from crm.decisions.contacts import card, cards
from crm.decisions.names import Likeness, likeness
from crm.decisions.payers import Known, identifiers_of, known_payer
from crm.decisions.purpose import HAS_DIGIT, LONG_NUMBER, NOTHING, number_of, read
from crm.decisions.settlement import in_words
from crm.scalars import Id
from crm.shared import Payer
from crm.state import Contact, Deal, DealNumber, DealReference, DealSum, Payment, Workspace, known
from crm.state.entities import ONLY, OUTCOMES
from crm.state.references import reference_key, reference_of
from crm.vocabulary import PaymentStatus

NOBODY = Payer()
UNKNOWN = Known()
MOST_NAMED = 6  # candidates that a reason names
# A plug-in puts a word before the shop's number and a time or a count of tries behind: order_10467, 10467#1795860112.
STEM = re.compile(r"(?:[^\W\d]+[-_:#])*(?P<whole>.{2,}?)(?:[#_:|/-]\d{9,13}|[#_:|]\d{1,3})?", re.ASCII)
BEHIND = re.compile(r"(?P<whole>.{2,}?)(?:[#_:|/-]\d{9,13}|[#_:|]\d{1,3})")


class PaymentDetails(NamedTuple):
    """What is known of a payment. `earlier`: what was read in its words before, and `seen`: the deals that it was
    thought to be for then. A number that was mentioned before its deal was opened is not that deal."""

    purpose: str
    references: tuple[str, ...]
    payer: Payer
    status: str
    amount_minor: int
    currency: str
    earlier: frozenset[str] = frozenset()
    seen: Collection[Id] = ()


def without_name(purpose: str, name: str) -> str:
    """Banks write the payer's name into the words: a number in it is the payer's, as in "Від: Школа 7"."""
    if not HAS_DIGIT.search(name):
        return purpose
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", purpose, flags=re.IGNORECASE)


def earlier_references(payment: Payment | None) -> frozenset[str]:
    """Returns the numbers and references that a payment named before."""
    if payment is None:
        return frozenset()
    words = read(without_name(payment.purpose, payment.payer.name))
    numbers = (str(n) for n in (*words.deals, *map(number_of, payment.references)) if n is not None)
    orders = (text.lstrip("0") for text in (*words.orders, *words.bare))
    return frozenset((*numbers, *orders, *words.references, *map(reference_of, payment.references)))


class Evidence:
    """What was gathered for one payment."""

    def __init__(self, state: State, details: PaymentDetails) -> None:
        self.state, self.details = state, details
        self.words = read(without_name(details.purpose, details.payer.name))
        self.found: dict[Id, Candidate] = {}
        self.missing: list[str] = []  # what it names and is not there
        self.hints: list[str] = []
        self.sure = False
        self.identifiers = list(identifiers_of(details.payer, self.country())) if details.payer != NOBODY else []
        self.payer: Known | None = None if self.identifiers else UNKNOWN

    def country(self) -> str:
        workspace = self.state.get(Workspace, ONLY)
        return (workspace or HOME).country

    def gather(self) -> None:
        """One deal that is certain needs no more; else the payer is asked about too."""
        self.by_reference()
        self.by_words()
        self.sure = sum(one.certain for one in self.found.values()) == 1
        if not self.sure:
            self.by_payer()
        for one in self.found.values():
            self.weigh(one)

    # ---------- what names a deal

    def by_reference(self) -> None:
        """What the gateway tells, and what a person wrote there: D-7."""
        for reference in self.details.references:
            if (number := number_of(reference)) is not None and (deal := self.numbered(number)):
                one = self.candidate(deal)
                one.speaks[Kind.NUMBER] = one.speaks[Kind.REFERENCE] = f"it names D-{number}"
                continue
            deals = self.referred(reference)
            for deal in deals:
                self.candidate(deal).speaks[Kind.REFERENCE] = f"its reference is {reference}"
            if not deals:
                for deal in self.within(reference):
                    self.candidate(deal).speaks[Kind.ORDER] = f"its reference {reference} holds the deal's"
                if number is None:
                    self.missing.append(f"no deal has the reference {reference}")
                self.hints.append(reference_hint(reference))

    def within(self, reference: str) -> list[Deal]:
        """The deals whose reference is in that of a gateway."""
        for stem in (BEHIND.fullmatch(reference), STEM.fullmatch(reference)):
            if stem and stem["whole"] != reference and (deals := self.referred(stem["whole"])):
                return deals
        return []

    def by_words(self) -> None:
        words = self.words
        if words is NOTHING:
            return
        machine = {reference_of(reference) for reference in self.details.references}
        for number in words.deals:
            if deal := self.numbered(number):
                self.candidate(deal).speaks[Kind.NUMBER] = f"it names D-{number}"
        for reference in words.references:
            if reference not in machine:
                self.quoted(reference, distinctive=True)
        for text in words.orders:
            if text.lstrip("0") in machine or text in machine:
                continue  # the gateway's own number of the order, which is no number of ours
            digits = text.lstrip("0") or "0"
            deal = self.numbered(int(digits), missing=not self.referred(text))
            if deal:
                one = self.candidate(deal)
                one.speaks.setdefault(Kind.ORDER, f"{text} in its text is the deal's number")
                one.listed |= text in words.listed
            self.quoted(text, distinctive=deal is None and len(digits) >= LONG_NUMBER)
        for text in words.bare:
            if text not in machine:
                self.quoted(text, distinctive=False, wait=False)

    def quoted(self, reference: str, distinctive: bool, wait: bool = True) -> None:
        """A reference that stands in the words. One that several deals have or that was mentioned before its deal was
        opened needs support; so does a plain number where more is paid than is outstanding."""
        deals, details = self.referred(reference), self.details
        for deal in deals:
            late = reference.lstrip("0") in details.earlier and deal.deal_id not in details.seen
            fits = not deal.amount_minor or details.amount_minor <= deal.outstanding_minor
            likely = not reference.isdecimal() or fits
            alone = distinctive and not late and len(deals) == 1 and likely
            one = self.candidate(deal)
            one.speaks[Kind.QUOTED if alone else Kind.ORDER] = f"{reference} in its text is the deal's reference"
            one.listed |= reference in self.words.listed
        if not deals and wait:
            self.hints.append(reference_hint(reference))

    def numbered(self, number: int, missing: bool = True) -> Deal | None:
        entry = self.state.get(DealNumber, str(number))
        if entry and (str(number) not in self.details.earlier or entry.deal_id in self.details.seen):
            return known(self.state, Deal, entry.deal_id)
        if missing:
            late = f"D-{number} was opened only after it was mentioned"
            self.missing.append(late if entry else f"no deal has the number D-{number}")
        return None

    def referred(self, reference: str) -> list[Deal]:
        """The deals with this reference: the open ones, if any is open."""
        entry = self.state.get(DealReference, reference_key(reference)) if reference else None
        deals = [deal for deal_id in entry.deals if (deal := self.state.get(Deal, deal_id))] if entry else []
        return ([deal for deal in deals if deal.open] or deals) if len(deals) > 1 else deals

    # ---------- who paid

    def by_payer(self) -> None:
        """Only settled money is matched by its payer: what is held may still change its sum."""
        details, payer = self.details, self.paid_by()
        if payer.doubt or details.status != PaymentStatus.SETTLED:
            return
        for deal in self.deals_of(payer.cards):
            if deal.currency == details.currency and deal.outstanding_minor == details.amount_minor:
                self.candidate(deal)

    def paid_by(self) -> Known:
        if self.payer is None:
            self.payer = known_payer(self.state, self.details.payer, self.identifiers)
        return self.payer

    def deals_of(self, people: Mapping[Id, Contact]) -> Iterator[Deal]:
        for contact in people.values():
            for one in cards(self.state, contact):
                yield from (known(self.state, Deal, deal_id) for deal_id in one.open_deals)

    # ---------- what supports it, and what speaks against it

    def candidate(self, deal: Deal) -> Candidate:
        return self.found.setdefault(deal.deal_id, Candidate(deal))

    def weigh(self, one: Candidate) -> None:
        """What the state knows of it. A deal that is certain is asked only what could still be in its way."""
        deal, details, payer = one.deal, self.details, self.paid_by()
        one.other_currency = deal.currency != details.currency
        if self.sure and not payer.cards and not one.other_currency:
            return
        contact = card(self.state, deal.contact_id)
        if contact.contact_id in payer.cards and not payer.doubt:
            one.speaks[Kind.PAYER] = "its contact is the payer"
        elif payer.cards and not payer.doubt:
            one.against.append(f"its contact is {named(contact)}, and the payer is {people(payer.cards)}")
        if one.other_currency:
            one.against.append(f"it is in {deal.currency}, and the money is in {money_of(details.currency)}")
        elif deal.outstanding_minor == details.amount_minor > 0:
            one.speaks[Kind.SUM] = f"exactly {self.sum()} is outstanding"
        elif deal.amount_minor:
            one.against.append(f"{in_words(max(0, deal.outstanding_minor), deal.currency)} is outstanding")
        if details.payer.name and likeness(details.payer.name, contact.name) is Likeness.SAME:
            one.speaks[Kind.NAME] = "its contact is called like the payer"
        if deal.stage in OUTCOMES:
            one.against.append(f"it is {deal.stage}")

    def add_related(self) -> None:
        """Deals that nothing names and a person may still think of: the payer's, those of whom the account has paid
        for, and those that wait for exactly this sum. They decide nothing."""
        details, payer = self.details, self.paid_by()
        if details.amount_minor <= 0:
            return
        known_people = {**payer.cards, **payer.related}
        theirs = [*self.deals_of(known_people)]
        if not theirs:
            newest = [deal_id for one in known_people.values() for deal_id in one.newest_deals[-2:]]
            theirs = [known(self.state, Deal, deal_id) for deal_id in newest]
        exact = [deal for deal in theirs if deal.outstanding_minor == details.amount_minor]
        for deal in (*(exact or theirs), *self.waiting()):
            if deal.deal_id not in self.found and len(self.found) <= MOST_NAMED:
                self.weigh(self.candidate(deal))

    def waiting(self) -> Iterator[Deal]:
        """Deals that wait for exactly this sum, of the newest that were ever worth it."""
        details = self.details
        worth = self.state.get(DealSum, str(details.amount_minor))
        for _, deal_id in worth.deals[::-1] if worth else ():
            deal = self.state.get(Deal, deal_id)
            if (
                deal
                and deal.open
                and (deal.currency, deal.outstanding_minor) == (details.currency, details.amount_minor)
            ):
                yield deal

    def sum(self) -> str:
        return in_words(self.details.amount_minor, self.details.currency)


def named(contact: Contact) -> str:
    return contact.name or "somebody without a name"


def people(known_as: Mapping[Id, Contact]) -> str:
    return " and ".join(sorted(named(contact) for contact in known_as.values()))


def money_of(currency: str) -> str:
    return "a currency that is not known" if currency == UNKNOWN_CURRENCY else currency


def reference_hint(reference: str) -> str:
    return f"reference:{reference_key(reference)}"
