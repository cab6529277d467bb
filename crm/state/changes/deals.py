"""How events of deals change the state: the deal, its contact, its owner's load, how many stand in a stage."""

from msgspec.structs import replace

from crm.enquiries import digest_of
from crm.events import DealAssigned, DealChanged, DealOpened, DealPaid, DealStageMoved, EnquiryRepeated
from crm.scalars import Id, Micros
from crm.state.entities import (
    ONLY,
    Contact,
    Deal,
    DealNumber,
    DealReference,
    DealSum,
    Enquiry,
    Load,
    Numbers,
    Turn,
    key,
    turn_key,
)
from crm.state.entity import Changes, State, known
from crm.state.references import reference_key

OPEN_DEALS_KEPT = 50
ENQUIRIES_KEPT = 5  # of a contact, and of those without any identity by digest
DEALS_A_REFERENCE = 20
NEWEST_DEALS_KEPT = 5
DEALS_A_SUM = 8


def deal_opened(state: State, event: DealOpened) -> None:
    deal = Deal(event.deal_id, event.contact_id, event.number, event.amount_minor, event.currency, event.stage)
    state.put(str(event.number), DealNumber(event.deal_id))
    numbers = state.get(Numbers, ONLY)
    if numbers is None or numbers.deals < event.number:
        state.put(ONLY, replace(numbers or Numbers(), deals=event.number))
    if event.reference:
        refer(state, event.reference, event.deal_id)
    if event.amount_minor:
        worth(state, event.amount_minor, event.number, event.deal_id)
    contact = known(state, Contact, event.contact_id)
    enquiries = contact.enquiries
    if event.source == "form":
        digest = event.digest or digest_of(event)
        enquiries = (*enquiries, (digest, event.meta.occurred_at, event.deal_id))[-ENQUIRIES_KEPT:]
        if event.digest and not contact.identifiers:
            asked(state, digest, event.meta.occurred_at, event.deal_id)
    newest = (*contact.newest_deals, event.deal_id)[-NEWEST_DEALS_KEPT:]
    deals = contact.deals + 1
    state.put(event.contact_id, replace(contact, deals=deals, enquiries=enquiries, newest_deals=newest))
    changed(state, None, deal)


def asked(state: State, digest: str, at: Micros, deal_id: Id) -> None:
    """The newest few of all that were ever put in: no order of streams changes that."""
    before = state.get(Enquiry, digest)
    deals = sorted({*(before.deals if before else ()), (at, deal_id)})
    state.put(digest, Enquiry(tuple(deals[-ENQUIRIES_KEPT:])))


def enquiry_repeated(state: State, event: EnquiryRepeated) -> None:
    """The deal's row counts it; the contact remembers when the enquiry came last."""
    deal = known(state, Deal, event.deal_id)
    contact = known(state, Contact, deal.contact_id)
    others = tuple(one for one in contact.enquiries if one[2] != event.deal_id)
    last = max([event.meta.occurred_at, *(at for _, at, deal_id in contact.enquiries if deal_id == event.deal_id)])
    enquiries = (*others, (event.digest, last, event.deal_id))[-ENQUIRIES_KEPT:]
    state.put(deal.contact_id, replace(contact, enquiries=enquiries))
    changed(state, deal, deal)


def refer(state: State, reference: str, deal_id: Id) -> None:
    """A deal whose reference is changed is still found by the one before: somebody may have paid with it."""
    name = reference_key(reference)
    others = state.get(DealReference, name)
    deals = sorted({*(others.deals if others else ()), deal_id})
    state.put(name, DealReference(tuple(deals[:DEALS_A_REFERENCE])))


def worth(state: State, amount_minor: int, number: int, deal_id: Id) -> None:
    """A sum that many deals have says little about any of them: the newest few are enough."""
    name = str(amount_minor)
    others = state.get(DealSum, name)
    deals = others.deals if others else ()
    if deals and deals[-1][0] >= number:
        deals = tuple(sorted({*deals, (number, deal_id)}))
    else:
        deals = (*deals, (number, deal_id))
    state.put(name, DealSum(deals[-DEALS_A_SUM:]))


def deal_assigned(state: State, event: DealAssigned) -> None:
    deal = known(state, Deal, event.deal_id)
    if event.rule:
        name = turn_key(event.rules_version, event.rule)
        turn = state.get(Turn, name) or Turn()
        state.put(name, Turn(turn.count + 1))
    if event.owner:
        contact = known(state, Contact, deal.contact_id)
        if contact.owner != event.owner:
            state.put(deal.contact_id, replace(contact, owner=event.owner))
    changed(state, deal, replace(deal, owner=event.owner))


def deal_paid(state: State, event: DealPaid) -> None:
    deal = known(state, Deal, event.deal_id)
    changed(state, deal, replace(deal, paid_minor=event.paid_minor, held_minor=event.held_minor))


def deal_changed(state: State, event: DealChanged) -> None:
    deal = known(state, Deal, event.deal_id)
    amount = deal.amount_minor if event.amount_minor is None else event.amount_minor
    currency = deal.currency if event.currency is None else event.currency
    if event.reference:
        refer(state, event.reference, event.deal_id)
    if event.amount_minor:
        worth(state, event.amount_minor, deal.number, event.deal_id)
    changed(state, deal, replace(deal, amount_minor=amount, currency=currency))


def deal_stage_moved(state: State, event: DealStageMoved) -> None:
    deal = known(state, Deal, event.deal_id)
    changed(state, deal, replace(deal, stage=event.stage))


def changed(state: State, before: Deal | None, deal: Deal) -> None:
    """The deal, and what follows from it: its contact's open deals, its owner's load, how many stand in a stage."""
    state.put(deal.deal_id, replace(deal, version=before.version + 1 if before else 1))
    if before is None or before.stage != deal.stage:
        numbers = state.get(Numbers, ONLY) or Numbers()
        standing = {**numbers.standing, deal.stage: numbers.standing.get(deal.stage, 0) + 1}
        if before:
            standing[before.stage] = standing.get(before.stage, 0) - 1
        state.put(ONLY, replace(numbers, standing={s: n for s, n in sorted(standing.items()) if n}))
    was_open, is_open = before is not None and before.open, deal.open
    if was_open != is_open:
        contact = known(state, Contact, deal.contact_id)
        others = tuple(d for d in contact.open_deals if d != deal.deal_id)
        open_deals = (*others, deal.deal_id)[-OPEN_DEALS_KEPT:] if is_open else others
        state.put(deal.contact_id, replace(contact, open_deals=open_deals))
    had, has = before.owner if before and was_open else "", deal.owner if is_open else ""
    if had != has:
        for owner, step in ((had, -1), (has, 1)):
            if owner:
                load = state.get(Load, key(owner)) or Load()
                state.put(key(owner), Load(load.open_deals + step))


CHANGES: Changes = {
    DealOpened: deal_opened,
    EnquiryRepeated: enquiry_repeated,
    DealChanged: deal_changed,
    DealAssigned: deal_assigned,
    DealPaid: deal_paid,
    DealStageMoved: deal_stage_moved,
}
