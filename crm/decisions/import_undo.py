"""An import is undone, record by record: what it made goes, what it changed is as before, and all else stays.

The fact says what the history of the record tells. What came in between the reading and this decision is seen here.
"""

from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from crm.decisions.case import Case
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.removal import MEANWHILE, contact_kept, contact_set_back, deal_kept, deal_set_back, removed_card
from crm.decisions.undone_objects import object_undone
from crm.envelope import Event
from crm.events import DealRemoved, DeliveryNoted, ImportUndoBegan, ImportUndone, ReportWithdrawn
from crm.facts import ImportedRecordUndone, ImportUndoReported
from crm.scalars import Id
from crm.shared import WithdrawnReport
from crm.state import Attached, Contact, Deal, Object, Reported, UndoneImport, reported_key

NULL = "null"
SOURCE = "import"  # in what is noted
NOTHING_LEFT = "nothing of the import is left to undo there"


def undo_reported(report: ImportUndoReported, case: Case) -> Iterator[Event]:
    meta, own = case.meta(report.import_id), (report.import_id, report.name, report.number)
    if report.ended:
        yield ImportUndone(meta, *own, report.removed, report.set_back, report.kept)
    else:
        yield ImportUndoBegan(meta, *own)


def record_undone(fact: ImportedRecordUndone, case: Case) -> Iterator[Event]:
    """Yields what is undone, or one event that says why nothing is."""
    match fact.record:
        case "deal":
            kept = yield from deal_undone(fact, case)
        case "contact":
            kept = yield from contact_undone(fact, case)
        case _:
            kept = yield from object_undone(fact, case)
    if kept or not case.events:
        yield DeliveryNoted(case.meta(case.fact.meta.id), SOURCE, fact.record, kept or NOTHING_LEFT)


def deal_undone(fact: ImportedRecordUndone, case: Case) -> Generator[Event, Any, str]:
    """Returns why the deal is kept; empty when it is not, or is not there."""
    deal = case.state.get(Deal, fact.id)
    if deal is None:
        return ""
    if deal.version != fact.version or said_otherwise(fact, case):
        return MEANWHILE
    if fact.made:
        if why := deal_kept(case, deal):
            return why
        yield DealRemoved(
            meta=case.meta(deal.contact_id),
            deal_id=deal.deal_id,
            contact_id=deal.contact_id,
            number=deal.number,
            reference=text_in(fact, "reference"),
            owner=deal.owner,
            owner_reason=text_in(fact, "owner_reason"),
            why=fact.why,
        )
    else:
        yield from deal_set_back(case, deal, fact)
    yield from withdrawn(fact, case, deal.contact_id)
    return ""


def contact_undone(fact: ImportedRecordUndone, case: Case) -> Generator[Event, Any, str]:
    """Returns why the card is kept; empty when it is not, or is not there. A card whose deals of the import are kept
    stays as the import left it."""
    contact = case.state.get(Contact, fact.id)
    if contact is None or any(case.state.get(Deal, deal_id) for deal_id in fact.deals):
        return ""
    if fact.made:
        if why := contact_kept(case, contact, fact):
            return why
        if said_otherwise(fact, case):
            return MEANWHILE
        yield from removed_card(case, contact, fact.why)
    else:
        yield from contact_set_back(case, contact, fact)
    yield from withdrawn(fact, case, contact.contact_id)
    return ""


def said_otherwise(fact: ImportedRecordUndone, case: Case) -> bool:
    """Another report came of a record that shall go."""
    return fact.made and any(
        reported.said.get(name) != pair(text)
        for one in fact.withdrawn
        if (reported := case.state.get(Reported, reported_key(fact.record, one.system, one.key)))
        for name, text in one.said.items()
    )


def withdrawn(fact: ImportedRecordUndone, case: Case, contact_id: Id) -> Iterator[Event]:
    """What the import said counts no more, where nothing newer was said of it."""
    for one in fact.withdrawn:
        now = case.state.get(Reported, reported_key(fact.record, one.system, one.key))
        said = {n: one.before.get(n, NULL) for n, text in one.said.items() if now and now.said.get(n) == pair(text)}
        if now and said:
            yield withdrawal(fact, case, contact_id, one, now, said)


def withdrawal(
    fact: ImportedRecordUndone,
    case: Case,
    contact_id: Id,
    one: WithdrawnReport,
    now: Reported,
    said: dict[str, str],
) -> Event:
    left = [moment for name, (moment, _) in now.said.items() if name not in said]
    is_deal = fact.record == "deal"
    return ReportWithdrawn(
        meta=case.meta(contact_id),
        record=fact.record,
        system=one.system,
        key=one.key,
        said=said,
        newest=max([one.newest, *left]),
        first=one.first if one.before else now.first,
        subject=one.subject if one.before else now.subject,
        contact_id=None if is_deal else contact_id,
        deal_id=fact.id if is_deal else None,
    )


def pair(text: str) -> tuple[int, str]:
    return msgspec.json.decode(text, type=tuple[int, str])


def text_in(fact: ImportedRecordUndone, name: str) -> str:
    return msgspec.json.decode(fact.imported.get(name, '""'), type=str)


def hints(fact: ImportedRecordUndone) -> Wanted:
    if fact.record == "deal":
        yield Deal, fact.id
        yield Attached, fact.id
    elif fact.record == "contact":
        yield Contact, fact.id
        yield from ((Contact, Id(pair.partition(" ")[0])) for pair in fact.doubted)
        for key in (*fact.identifiers, *(pair.partition(" ")[2] for pair in fact.doubted)):
            yield from of_identifier(key)
        yield from ((Deal, deal_id) for deal_id in fact.deals)
    else:
        yield Object, fact.id
    yield from ((Reported, reported_key(fact.record, one.system, one.key)) for one in fact.withdrawn)


def row_of(fact: ImportedRecordUndone) -> tuple[str, Id]:
    return fact.record, fact.id


RECORD = FactRule(ImportedRecordUndone, record_undone, family="facts", hints=hints, row=row_of)
UNDO = FactRule(
    ImportUndoReported, undo_reported, family="facts", hints=lambda report: [(UndoneImport, report.import_id)]
)
