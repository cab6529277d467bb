"""How events of deals change the state: the deal, its contact, its owner's load, how many stand in a stage."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from crm.enquiries import digest_of
from crm.events import (
    DealAssigned,
    DealChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    EnquiryRepeated,
    StageRuleApplied,
)
from crm.scalars import Id, Micros
from crm.state.entities import ONLY, Contact, Deal, DealNumber, DealReference, DealSum, Enquiry, Load, Numbers, Turn
from crm.state.entity import Changes, State, known
from crm.state.keys import key, turn_key
from crm.state.parcels import BY_PARCEL, RULES
from crm.state.references import reference_key
from crm.state.reported import remember

OPEN_DEALS_KEPT = 50
ENQUIRIES_KEPT = 5  # of a contact, and of those without any identity by digest
DEALS_A_REFERENCE = 20
NEWEST_DEALS_KEPT = 5
DEALS_A_SUM = 8


def deal_opened(state: State, event: DealOpened) -> None:
    deal = Deal(
        deal_id=event.deal_id,
        contact_id=event.contact_id,
        number=event.number,
        amount_minor=event.amount_minor,
        currency=event.currency,
        stage=event.stage,
        version=1,
        source=event.source,
        title=event.title,
    )
    state.put(event.deal_id, deal)
    state.put(str(event.number), DealNumber(event.deal_id))
    numbers = state.get(Numbers, ONLY) or Numbers()
    state.put(ONLY, Numbers(max(numbers.deals, event.number), moved(numbers.standing, "", event.stage)))
    if event.reference:
        refer(state, event.reference, event.deal_id)
    if event.amount_minor:
        worth(state, event.amount_minor, event.number, event.deal_id)
    remember(state, event.report, event.meta.occurred_at)
    contact = known(state, Contact, event.contact_id)
    enquiries = contact.enquiries
    if event.source == "form":
        digest = event.digest or digest_of(event)
        enquiries = (*enquiries, (digest, event.meta.occurred_at, event.deal_id))[-ENQUIRIES_KEPT:]
        if event.digest and not contact.identifiers:
            remember_enquiry(state, digest, event.meta.occurred_at, event.deal_id)
    learnt = replace(
        contact,
        deals=contact.deals + 1,
        enquiries=enquiries,
        newest_deals=(*contact.newest_deals, event.deal_id)[-NEWEST_DEALS_KEPT:],
        open_deals=with_open(contact, deal),
    )
    state.put(event.contact_id, learnt)


def remember_enquiry(state: State, digest: str, at: Micros, deal_id: Id) -> None:
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
    changed(state, deal)


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
    remember(state, event.report, event.meta.occurred_at)
    changed(state, deal, owner=event.owner)


def deal_paid(state: State, event: DealPaid) -> None:
    deal = known(state, Deal, event.deal_id)
    changed(state, deal, paid_minor=event.paid_minor, held_minor=event.held_minor)


def deal_changed(state: State, event: DealChanged) -> None:
    deal = known(state, Deal, event.deal_id)
    amount = deal.amount_minor if event.amount_minor is None else event.amount_minor
    currency = deal.currency if event.currency is None else event.currency
    if event.reference:
        refer(state, event.reference, event.deal_id)
    if event.amount_minor:
        worth(state, event.amount_minor, deal.number, event.deal_id)
    remember(state, event.report, event.meta.occurred_at)
    title = deal.title if event.title is None else event.title
    changed(state, deal, amount_minor=amount, currency=currency, title=title)


def deal_stage_moved(state: State, event: DealStageMoved) -> None:
    deal = known(state, Deal, event.deal_id)
    remember(state, event.report, event.meta.occurred_at)
    lost_from = event.from_stage if event.stage == "lost" != event.from_stage else deal.lost_from
    by_rule = event.meta.actor in RULES
    set_at = deal.stage_set_at if by_rule else max(deal.stage_set_at, event.meta.occurred_at)
    by_parcel = event.meta.actor == BY_PARCEL
    changed(state, deal, stage=event.stage, lost_from=lost_from, stage_set_at=set_at, by_parcel=by_parcel)


def stage_rule_applied(state: State, event: StageRuleApplied) -> None:
    """The deal's row says nothing of it, so its version stays."""
    deal = known(state, Deal, event.deal_id)
    state.put(event.deal_id, replace(deal, stage_rules=(*deal.stage_rules, event.stage_rule_id)))


def changed(state: State, before: Deal, **said: Any) -> None:
    """The deal, and what follows from it: its contact's open deals, its owner's load, how many stand in a stage."""
    deal = replace(before, version=before.version + 1, **said)
    state.put(deal.deal_id, deal)
    if before.stage != deal.stage:
        numbers = state.get(Numbers, ONLY) or Numbers()
        state.put(ONLY, Numbers(numbers.deals, moved(numbers.standing, before.stage, deal.stage)))
    was_open, is_open = before.open, deal.open
    if was_open != is_open:
        contact = known(state, Contact, deal.contact_id)
        state.put(deal.contact_id, replace(contact, open_deals=with_open(contact, deal)))
    had, has = before.owner if was_open else "", deal.owner if is_open else ""
    if had != has:
        for owner, step in ((had, -1), (has, 1)):
            if owner:
                load = state.get(Load, key(owner)) or Load()
                state.put(key(owner), Load(load.open_deals + step))


def moved(standing: Mapping[str, int], before: str, stage: str) -> dict[str, int]:
    """How many deals stand in each stage once one has come to `stage`; `before` is empty when it is new."""
    counts = {**standing, stage: standing.get(stage, 0) + 1}
    if before:
        counts[before] = counts.get(before, 0) - 1
    return {one: counts[one] for one in sorted(counts) if counts[one]}


def with_open(contact: Contact, deal: Deal) -> tuple[Id, ...]:
    """The contact's open deals as they are with this one: it is the newest, or not among them when it is closed."""
    others = tuple(one for one in contact.open_deals if one != deal.deal_id)
    return (*others, deal.deal_id)[-OPEN_DEALS_KEPT:] if deal.open else others


CHANGES: Changes = {
    DealOpened: deal_opened,
    EnquiryRepeated: enquiry_repeated,
    DealChanged: deal_changed,
    DealAssigned: deal_assigned,
    DealPaid: deal_paid,
    DealStageMoved: deal_stage_moved,
    StageRuleApplied: stage_rule_applied,
}
