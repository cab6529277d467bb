"""A deal of another system: its first report opens it, and each later one changes what it says otherwise."""

from collections.abc import Iterator
from typing import Any

import msgspec

from crm.decisions.assignment import assigned
from crm.decisions.case import Case
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier, of_sum
from crm.decisions.own_keys import (
    News,
    OwnKey,
    Values,
    addressed,
    check,
    common_values,
    doubted,
    left,
    news_of,
    noted,
    recorded,
)
from crm.decisions.parcels_named import FIELD, parcels_named
from crm.decisions.parked_payments import retry_parked
from crm.decisions.payment_evidence import reference_hint
from crm.decisions.reported_people import deals_card, give_people, identifiers_in, whose
from crm.decisions.settlement import restaged
from crm.decisions.workspace import LARGEST_SUM, workspace_of
from crm.envelope import Event
from crm.events import DealAssigned, DealChanged, DealOpened, DealStageMoved
from crm.facts import DealReported
from crm.scalars import Id
from crm.shared import Report
from crm.state import (
    Contact,
    Deal,
    DealReference,
    Fields,
    Numbers,
    Parked,
    RemovedDeal,
    Reported,
    Workspace,
    known,
    reported_key,
)
from crm.state.entities import ONLY, OUTCOMES
from crm.state.references import reference_key
from crm.vocabulary import ExistingDeal

LOST = "lost"
PEOPLE = ("contact_key", "people")


def deal_reported(report: DealReported, case: Case, more: Values | None = None) -> Iterator[Event]:
    """`more`: what its source says besides, of a deal that is an order."""
    own = addressed(case.state, report, "deal")
    deal = case.state.get(Deal, own.id_in(report.meta.workspace))
    if deal and report.existing == ExistingDeal.SKIP:
        yield left(case, own)
        return
    values = values_of(report, case, own, deal)
    values.update(more or ())
    news = news_of(report, case, own, values)
    if deal:
        if any(name in values and values[name] != news.before.value(name) for name in PEOPLE):
            yield from deals_card(case, report, own, deal)
        learnt = case.events > 0
        yield from changed(case, news, deal)
        if learnt:
            yield from retry_parked(case, deal.contact_id)
    elif report.deleted:
        yield noted(case, news) if news.nothing else recorded(case, news, own.id_in(report.meta.workspace))
    else:
        yield from opened(case, report, news)
    deal, numbers = case.state.get(Deal, own.id_in(report.meta.workspace)), report.fields.get(FIELD)
    if deal and numbers:
        yield from parcels_named(case, deal, numbers)


def values_of(report: DealReported, case: Case, own: OwnKey, deal: Deal | None) -> Values:
    """What can be taken of it; the rest becomes doubts."""
    values = common_values(report, case, own)
    values.short_text("title", report.title or None, 500)
    values.short_text("owner", report.owner, 200)
    values.short_text("reference", report.reference, 200)
    stages = workspace_of(case).stages
    if report.stage in (*stages, *OUTCOMES):
        values.give("stage", report.stage)
    elif report.stage is not None:
        there = ", ".join((*stages, *OUTCOMES))
        values.doubt("stage", f"There is no stage {report.stage[:100]!r}: not moved. There are {there}.")
    amount(values, report, case, deal)
    if deal and (why := whose(case, report, deal, own)):
        values.doubt("contact_key", why)
    elif report.contact_key and not report.deleted:
        values.give("contact_key", report.contact_key)
    give_people(values, report)
    return values


def amount(values: Values, report: DealReported, case: Case, deal: Deal | None) -> None:
    """A sum and its currency are one value."""
    if (minor := report.amount_minor) is None:
        if report.currency:
            values.doubt("amount", "A currency without an amount was given: not changed.")
        return
    currency = report.currency or workspace_of(case).currency
    if not 0 <= minor <= LARGEST_SUM:
        values.doubt("amount", f"No deal is worth {minor} in the smallest unit of {currency}: not changed.")
    elif deal and currency != deal.currency and (deal.paid_minor or deal.held_minor):
        why = f"There is money in {deal.currency} on the deal, which is never converted"
        values.doubt("amount", f"{why}: the amount in {currency} was not taken.")
    else:
        values.give("amount", [minor, currency])


def opened(case: Case, report: DealReported, news: News) -> Iterator[Event]:
    """With all that was said of it, also by earlier reports that deleted it."""
    own, said = news.own, news.after
    deal_id, workspace = own.id_in(report.meta.workspace), workspace_of(case)
    contact_id, stands = yield from deals_card(case, report, own)
    numbers, removed = case.state.get(Numbers, ONLY), case.state.get(RemovedDeal, deal_id)
    minor, currency = msgspec.json.decode(said.value("amount") or b"null") or (0, workspace.currency)
    deal = DealOpened(
        meta=case.meta(contact_id),
        deal_id=deal_id,
        contact_id=contact_id,
        number=removed.number if removed else numbers.deals + 1 if numbers else 1,
        title=said.text("title") or str(own),
        amount_minor=minor,
        currency=currency,
        stage=existing(workspace, said.text("stage")),
        source=own.system,
        reference=said.text("reference"),
        fields=news.all_fields,
        doubts=said.doubts,
        report=news.report,
    )
    yield deal
    if said.value("owner") is None and removed and removed.owner not in workspace.retired:
        why = removed.owner_reason
        yield DealAssigned(case.meta(contact_id), deal_id, contact_id, removed.owner, "", workspace.rules_version, why)
    elif said.value("owner") is None:
        yield from assigned(case, deal, stands)
    else:
        yield owned(case, known(case.state, Deal, deal_id), news)
    if said.first < report.meta.occurred_at:
        yield DealChanged(case.meta(contact_id), deal_id, contact_id, opened_at=said.first)
    yield from staged(case, known(case.state, Deal, deal_id), news, [], opening=True)
    yield from retry_parked(case, contact_id, deal_id, said.text("reference"))


def changed(case: Case, news: News, deal: Deal) -> Iterator[Event]:
    """Few events, usually one: the first that there is carries what the source said."""
    if news.nothing:
        if not case.events:
            yield noted(case, news)
        return
    rest: list[Report] = [news.report]
    given = columns(news)
    if given:
        yield DealChanged(case.meta(deal.contact_id), deal.deal_id, deal.contact_id, report=rest.pop(), **given)
        if "amount" in news.changed:
            yield from restaged(case, deal.deal_id)
    if "owner" in news.changed and news.after.text("owner") != deal.owner:
        yield owned(case, deal, news, rest.pop() if rest else None)
    yield from staged(case, known(case.state, Deal, deal.deal_id), news, rest)
    if rest:
        yield recorded(case, news, deal.contact_id, deal.contact_id, deal.deal_id)
    yield from doubted(case, news, deal.contact_id, deal.deal_id)
    if news.changed & {"amount", "reference"}:
        yield from retry_parked(case, deal.contact_id, deal.deal_id, news.after.text("reference"))


def columns(news: News) -> dict[str, Any]:
    """What changes in the deal's row, but for its stage and its owner."""
    given: dict[str, Any] = {name: news.after.text(name) for name in ("title", "reference") if name in news.changed}
    if "amount" in news.changed:
        given["amount_minor"], given["currency"] = msgspec.json.decode(news.after.said["amount"][1])
    if fields := news.fields:
        given["fields"] = fields
    if news.after.doubts != news.before.doubts:
        given["doubts"] = news.after.doubts
    if news.older:
        given["opened_at"] = news.after.first
    return given


def owned(case: Case, deal: Deal, news: News, report: Report | None = None) -> Event:
    owner, version = news.after.text("owner"), workspace_of(case).rules_version
    meta = case.meta(deal.contact_id)
    return DealAssigned(meta, deal.deal_id, deal.contact_id, owner, "", version, f"{news.own.system} says so", report)


def staged(case: Case, deal: Deal, news: News, rest: list[Report], opening: bool = False) -> Iterator[Event]:
    """The stage that follows from all that the source said. What it only repeats moves nothing. `rest`: what no event
    has carried yet."""
    gone, was_gone = why_gone(news.after, news.own), why_gone(news.before, news.own)
    stage = news.after.text("stage")
    if gone:
        target, why = (LOST, gone) if gone != was_gone or opening else (deal.stage, "")
    elif opening:
        return
    elif was_gone and deal.stage == LOST:
        target, why = existing(workspace_of(case), stage, deal.lost_from), f"{news.own} is there again"
    elif "stage" in news.changed:
        target, why = stage, f"{news.own.system} says so"
    else:
        return
    if target != deal.stage:
        meta, report = case.meta(deal.contact_id), rest.pop() if rest else None
        yield DealStageMoved(meta, deal.deal_id, deal.contact_id, deal.stage, target, why, report)


def existing(workspace: Workspace, *stages: str) -> str:
    """The first of these that there is today, else the pipeline's first: what was said long ago may be gone since."""
    there = (*workspace.stages, *OUTCOMES)
    return next((stage for stage in stages if stage in there), workspace.stages[0])


def why_gone(said: Reported, own: OwnKey) -> str:
    """Empty while the source has it."""
    if said.merged_into:
        return f"{own} was merged into {own.system}:{said.merged_into}"
    if said.deleted:
        return f"{own.system} deleted {own}"
    return f"{own.system} cancelled {own}" if said.value("cancelled") == "true" else ""


def hints(report: DealReported) -> Wanted:
    own = OwnKey("deal", report.system, report.key)
    yield Reported, reported_key(*own)
    yield Deal, own.id_in(report.meta.workspace)
    yield RemovedDeal, own.id_in(report.meta.workspace)
    for identifier in identifiers_in(report):
        yield from of_identifier(identifier.key)
    if report.contact_key:
        contact = OwnKey("contact", report.system, report.contact_key)
        yield Reported, reported_key(*contact)
        yield Contact, contact.id_in(report.meta.workspace)
    if report.fields:
        yield Fields, "deal"
    if reference := (report.reference or "").strip():
        yield DealReference, reference_key(reference)
        yield Parked, reference_hint(reference)
    yield from of_sum(report.amount_minor)


def deal_of(report: DealReported) -> tuple[str, Id]:
    return "deal", OwnKey("deal", report.system, report.key).id_in(report.meta.workspace)


RULE = FactRule(
    DealReported,
    deal_reported,
    family="facts",
    hints=hints,
    identifiers=lambda report: ((one.kind, one.value) for one in identifiers_in(report)),
    sender=lambda own: f"{own['system']}:{own['key']}",
    check=check,
    occurs="changed_at",
    null_removes=True,
    words={"existing": ExistingDeal},
    row=deal_of,
)
