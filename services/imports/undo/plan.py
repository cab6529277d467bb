"""Reads off the history of one card, or of one object, what an undo of an import has to do there: pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from crm.engine.in_memory import MemoryState
from crm.envelope import Event
from crm.events import (
    CallOpened,
    ContactCreated,
    ConversationOpened,
    DealOpened,
    DealPaid,
    DealRemoved,
    IdentifierAdded,
    IdentifierDoubted,
    NoteAdded,
    ObjectChanged,
    ObjectRemoved,
    ReportRecorded,
    ReportWithdrawn,
    TaskAdded,
)
from crm.imports import Kept
from crm.scalars import Id, Micros
from crm.shared import WithdrawnReport
from crm.state import Contact, Object, fold, identifier_key
from projections import PROJECTIONS
from services.imports.undo.diff import Diff, Sources, Values
from services.imports.undo.said import IDENTIFIERS, Said, text
from services.imports.undo.words import because

DEAL = PROJECTIONS["deal"]
ON_CARDS = frozenset(PROJECTIONS["contact"].handles)
ON_DEALS = frozenset(DEAL.handles)
REPORTS: frozenset[type[Event]] = frozenset((ReportRecorded, ReportWithdrawn))
ACTIVITY: frozenset[type[Event]] = frozenset((CallOpened, ConversationOpened, NoteAdded, TaskAdded))
ON_OBJECTS: frozenset[type[Event]] = frozenset((ObjectChanged, ObjectRemoved))
TYPES: frozenset[type[Event]] = frozenset((*ON_CARDS, *ON_DEALS, *REPORTS, *ACTIVITY, *ON_OBJECTS))


class Planned(Struct):
    """What a fact says of one card, deal or object: the fields of ImportedRecordUndone."""

    record: str
    id: Id
    made: bool
    version: int = 0
    imported: Values = field(default_factory=dict)
    before: Values = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    deals: tuple[Id, ...] = ()
    withdrawn: tuple[WithdrawnReport, ...] = ()
    stream: Id = Id("")

    @property
    def changes(self) -> bool:
        return bool(self.made or self.imported or self.identifiers or self.doubted or self.withdrawn)


class Plan(NamedTuple):
    """What can be undone, and what is kept with the reason. `names`: by id, for people."""

    planned: list[Planned]
    kept: list[Kept]
    names: dict[Id, str]


def plan_of(stream: Id, events: Sequence[Event], sources: Sources) -> Plan:
    """Returns what an undo does to a card and its deals, or to an object. `events`: of its stream, in order."""
    plan = Plan([], [], {})
    read_stream(plan, stream, events, sources)
    for planned in plan.planned:
        planned.stream = stream
    return plan


def read_stream(plan: Plan, stream: Id, events: Sequence[Event], sources: Sources) -> None:
    if any(type(event) in ON_OBJECTS for event in events):
        plan_object(plan, stream, [event for event in events if type(event) in ON_OBJECTS], sources)
        return
    of_deals: dict[Id, list[Any]] = {}
    for event in events:
        if (type(event) in ON_DEALS or type(event) in REPORTS) and (deal_id := getattr(event, "deal_id", None)):
            of_deals.setdefault(deal_id, []).append(event)
    for deal_id, of_deal in of_deals.items():
        plan_deal(plan, deal_id, of_deal, sources)
    plan_contact(plan, stream, events, sources)


def plan_deal(plan: Plan, deal_id: Id, events: Sequence[Any], sources: Sources) -> None:
    if (source := sources.latest(events)) is None:
        return
    diff, said, row = Diff(source, sources.own), Said("deal"), None
    made = False
    for event in events:
        said.see(event, diff.mine(event))
        before = row
        row = DEAL.fold(row, event) if type(event) in ON_DEALS else row
        if diff.mine(event) and not diff.began:
            made = before is None
        diff.see(event, deal_values(before), deal_values(row))
    if row is None:
        return
    plan.names[deal_id] = f"D-{row.number} {row.title}"
    if made:
        if diff.touched:
            keep(plan, "deal", deal_id, because(diff.touched[0]))
            return
        own = {"reference": text(row.reference), "owner_reason": text(row.owner_reason)}
        plan.planned.append(Planned("deal", deal_id, True, row.version, own, withdrawn=said.withdrawn()))
        return
    imported, before_values, stays = diff.back(deal_values(row))
    if paid := next((event for event in diff.touched if isinstance(event, DealPaid)), None):
        stays |= {name: paid for name in ("amount", "stage") if imported.pop(name, None)}
    done = Planned("deal", deal_id, False, row.version, imported, before_values, withdrawn=said.withdrawn(stays))
    finish(plan, done, stays)


def deal_values(row: Any) -> Values:
    if row is None:
        return {}
    values = {"title": row.title, "reference": row.reference, "amount": [row.amount_minor, row.currency]}
    values |= {"stage": [row.stage, row.closed_at], "owner": row.owner}
    values |= {"doubts": row.doubts, "opened_at": row.opened_at}
    return {name: text(value) for name, value in values.items()} | fields(row.fields)


def plan_contact(plan: Plan, contact_id: Id, events: Sequence[Any], sources: Sources) -> None:
    on_card = [event for event in events if is_of_card(event)]
    if (source := sources.latest(on_card)) is None:
        return
    diff, said, state = Diff(source, sources.own), Said("contact"), MemoryState()
    made, created_at, activity, deals = False, Micros(0), list[Event](), dict[Id, Event]()
    added, doubted, doubts_before = list[str](), set[tuple[str, Id]](), dict[str, tuple[Id, ...]]()
    for event in events:
        kind, mine = type(event), diff.mine(event)
        if diff.began and not mine and kind in ACTIVITY:
            activity.append(event)
        if kind in ON_DEALS:
            note_deal(deals, event)
        if not is_of_card(event):
            continue
        said.see(event, mine)
        card = state.get(Contact, contact_id)
        was = card_values(card, created_at)
        created_at = created(event, created_at)
        fold(state, event)
        if mine and not diff.began:
            made, doubts_before = card is None, card.doubts if card else {}
        diff.see(event, was, card_values(state.get(Contact, contact_id), created_at))
        if mine and isinstance(event, IdentifierAdded):
            added.append(identifier_key(event.kind, event.value))
        if isinstance(event, IdentifierDoubted) and mine and event.other_id:
            doubted.add((identifier_key(event.kind, event.value), event.other_id))
    card = state.get(Contact, contact_id)
    if card is None:
        return
    plan.names[contact_id] = card.name or next(iter(card.identifiers), "a card without a name")
    theirs = [event for event in deals.values() if event.meta.source not in sources.imports]
    of_import = tuple(sorted(deal_id for deal_id, event in deals.items() if event.meta.source in sources.imports))
    if made:
        if touched := [*diff.touched, *activity, *theirs]:
            keep(plan, "contact", contact_id, because(touched[0]))
            return
        now = card_values(card, created_at)
        plan.planned.append(
            Planned("contact", contact_id, True, 0, now, {}, card.identifiers, (), of_import, said.withdrawn())
        )
        return
    imported, before, stays = diff.back(card_values(card, created_at))
    since = next((event for event in (*activity, *theirs) if event.meta.recorded_at >= said.began_at), None)
    left = tuple(key for key in dict.fromkeys(added) if key in card.identifiers)
    if left and since:
        stays, left = stays | {IDENTIFIERS: since}, ()
    doubts = tuple(
        f"{other_id} {key}"
        for key, other_id in sorted(doubted)
        if other_id in card.doubts.get(key, ()) and other_id not in doubts_before.get(key, ())
    )
    done = Planned("contact", contact_id, False, 0, imported, before, left, doubts, of_import, said.withdrawn(stays))
    finish(plan, done, stays)


def is_of_card(event: Any) -> bool:
    of_contact = type(event) in REPORTS and getattr(event, "deal_id", None) is None
    return type(event) in ON_CARDS or of_contact


def note_deal(deals: dict[Id, Event], event: Any) -> None:
    """Notes which deals there are, with the event that opened each."""
    if isinstance(event, DealOpened):
        deals[event.deal_id] = event
    elif isinstance(event, DealRemoved):
        deals.pop(event.deal_id, None)


def created(event: Any, before: Micros) -> Micros:
    """Returns the moment at which a card was made, as it is known after the event."""
    if isinstance(event, ContactCreated):
        return Micros(event.meta.occurred_at)
    earlier: Micros | None = getattr(event, "created_at", None)
    return before if earlier is None else earlier


def card_values(card: Contact | None, created_at: Micros) -> Values:
    if card is None:
        return {}
    return {"name": text(card.name), "created_at": text(created_at)} | fields(card.fields)


def plan_object(plan: Plan, id: Id, events: Sequence[Any], sources: Sources) -> None:
    if (source := sources.latest(events)) is None:
        return
    diff, state, made = Diff(source, sources.own), MemoryState(), False
    for event in events:
        before = state.get(Object, id)
        fold(state, event)
        now = state.get(Object, id)
        if diff.mine(event) and not diff.began:
            made, moments = before is None, object_moments(before)
        diff.see(event, before.values if before else {}, now.values if now else {})
    found = state.get(Object, id)
    if found is None:
        return
    plan.names[id] = f"{found.type}:{found.key}"
    if made:
        if diff.touched:
            keep(plan, "object", id, because(diff.touched[0]))
        else:
            plan.planned.append(Planned("object", id, True, found.version))
        return
    imported, before_values, stays = diff.back(found.values)
    was = {name: moments[name] for name in before_values}
    finish(plan, Planned("object", id, False, found.version, imported, was), stays)


def object_moments(found: Object | None) -> Values:
    """Returns each value with its moment, as JSON; 0 where a person gave it."""
    if found is None:
        return {}
    given = {name: [moment, value] for name, (moment, value) in found.given.items()}
    return {name: text(pair) for name, pair in (given | {n: [0, v] for n, v in found.by_hand.items()}).items()}


def finish(plan: Plan, done: Planned, stays: dict[str, Event]) -> None:
    """Of what others changed in part, the rest is set back."""
    if done.changes:
        plan.planned.append(done)
    if stays:
        why = "; ".join(f"{name.removeprefix('fields.')} stays, as {because(event)}" for name, event in stays.items())
        keep(plan, done.record, done.id, why)


def keep(plan: Plan, record: str, id: Id, why: str) -> None:
    plan.kept.append(Kept(record, id, plan.names[id], f"{why[0].upper()}{why[1:]}."))


def fields(given: Values) -> Values:
    return {f"fields.{name}": value for name, value in given.items()}
