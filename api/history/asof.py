"""Rows as of a point in time: the argument `asOf` of single rows, and lists and the funnel as of a time."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import strawberry

from api.context import Info
from api.errors import BadInput, TooMuch
from api.history.past_rows import PastRows, past_rows
from api.schema.fields import Argument
from api.schema.filters import known_id
from api.schema.scalars import Long, Money
from api.sql.database import json_decoder, translate_errors
from api.sql.plan.rows import MERGES
from api.sql.plan.statement import NotPlannable, Rule, Site
from api.sql.reads import SHARES, Reads, Shaped, shaped
from crm import moments
from crm.adapters.postgres import history
from crm.asof import Totals, row_as_of
from crm.errors import Broken
from crm.events import ContactMerged, ContactUnmerged
from crm.projection import Column, Projection
from crm.scalars import Id, Micros
from projections import PROJECTIONS

LIMIT = 50_000  # events of single rows that one operation may fold, which takes some tenths of a second
LONGEST = 100  # rows of a list
AS_OF_KEY = "as of"  # key of a past row's AsOf; no column has this name
STAGES_BY_ROWS = """
SELECT t.stage, t.currency, count(*) AS count, sum(t.amount_minor) AS amount FROM read.deal AS t
WHERE t.workspace = %(workspace)s AND t.touched_at <= %(at)s GROUP BY 1, 2"""
STAGES_BY_TOTALS = """
SELECT stage, currency, sum(count) AS count, sum(amount) AS amount FROM (
  SELECT t.stage, t.currency, t.count, t.amount_minor AS amount FROM read.deal_totals AS t
  WHERE t.workspace = %(workspace)s AND t.total = 'stage, owner' AND t.grain = 'all'
  UNION ALL SELECT t.stage, t.currency, -1, -t.amount_minor FROM read.deal AS t
  WHERE t.workspace = %(workspace)s AND t.touched_at > %(at)s) AS s
GROUP BY 1, 2 HAVING sum(count) <> 0"""


@strawberry.input(description="A point in time, on one of two clocks.")
class AsOf:
    at: datetime = strawberry.field(
        description="The time with its offset, inclusive. With RECORDED: what was known then; once the time has passed "
        "and its events are in the read models, the answer never changes. With OCCURRED: what was true then, as far as "
        "it is known now; facts that arrive late change it. A time in the future gives what is known now."
    )
    clock: moments.Clock = strawberry.field(default=moments.Clock.OCCURRED, description="Which clock `at` is on.")


@strawberry.type(description="Number and amounts of the deals in one stage.")
class StageTotal:
    stage: str = strawberry.field(description="Key of the stage.")
    deals: Long = strawberry.field(description="Number of deals.")
    amounts: list[Money] = strawberry.field(description="Total amount of the deals in each currency.")


AS_OF = Argument(
    AsOf | None,
    None,
    "Returns the row as of this time, with the rows that it refers to. Nested lists are not supported, as they would "
    "show current rows: use `dealsAsOf` and `contactsAsOf`.",
)


def current_only(rule: Rule) -> Rule:
    """Returns the rule for current rows: rows of the past are folded, not selected."""

    def current(site: Site) -> str:
        if any(argument.name.value == "asOf" for argument in site.nodes[0].arguments or ()):
            raise NotPlannable("as of a time")
        return rule(site)

    return current


async def row(info: Info, projection: Projection[Any], id: str, as_of: AsOf) -> Shaped | None:
    """Returns a row as of a time, or None when it did not exist yet. Raises TooMuch."""
    reads, at = info.context.reads, micros(as_of.at)
    events = await own_events(reads, projection, Id(known_id(id)))
    found = await asyncio.to_thread(row_as_of, projection, events, at, as_of.clock)
    return None if found is None else as_read(projection, reads.workspace, found, as_of)


async def referred_row(info: Info, projection: Projection[Any], key: str | None, as_of: AsOf) -> Shaped | None:
    """Returns what a past row refers to, as of the same time, following merges of contacts up to then."""
    found = await row(info, projection, key, as_of) if key else None
    for _ in range(MERGES):
        if found is None or found.get("merged_into") is None:
            break
        found = await row(info, projection, found["merged_into"], as_of)
    return found


def require_current(source: Any, name: str) -> None:
    """Raises BadInput below a past row, because this field only has current values."""
    if isinstance(source, dict) and AS_OF_KEY in source:
        raise BadInput(
            f"`{name}` is not supported with `asOf`, as it would show current rows. Nothing was read. Ask for it "
            "without `asOf`, or use `dealsAsOf(contact:)`. `crm asof` and `crm replay --until` cover every read model."
        )


async def own_events(reads: Reads, projection: Projection[Any], key: Id) -> Sequence[Any]:
    """Returns the events of one row. Raises TooMuch beyond what one operation may fold."""
    async with folding(reads) as (connection, left):
        events = await history.of_row(connection, projection, Id(reads.workspace), key, left)
        reads.folded += len(events)
    return events


@asynccontextmanager
async def folding(reads: Reads) -> AsyncIterator[tuple[Any, int]]:
    """Yields a connection, and how many events this operation may still fold.

    Fields take turns, so that they share the limit.
    """
    async with reads.one_by_one:
        try:
            with translate_errors():
                async with reads.pool.reading(reads.workspace) as connection:
                    yield connection, LIMIT - reads.folded
        except Broken as error:
            raise TooMuch(str(error)) from None


async def list_as_of(
    past: PastRows, first: int, given: Mapping[str, Collection[str | None]], fixed: Collection[str] = ()
) -> list[Any]:
    """Returns rows that have one of these values in each of these columns, last changed first.

    `fixed`: those of the columns that never change, so that only few rows need a fold. Raises TooSlow.
    """

    def order(row: Any) -> tuple[Any, ...]:
        return row.touched_at, getattr(row, past.projection.key)

    types = {column.name: column.type for column in past.projection.columns}
    values = {name: list(wanted) for name, wanted in given.items() if None not in wanted}
    conditions = {
        name: f"t.{name} = ANY (%({name})s::{types[name]}[])" if name in values else f"t.{name} IS NULL"
        for name in given
    }
    best: list[Any] = []
    if not past.needs_fold:
        newest = f"t.touched_at DESC, t.{past.projection.key} DESC"
        best = await past.rows_of(" AND ".join(["true", *conditions.values()]), newest, first, **values)
    among = " AND ".join(["true", *(conditions[name] for name in fixed)])
    async for rows in past.folded(among, **{name: values[name] for name in fixed}):
        found = (row for row in rows if all(getattr(row, name) in wanted for name, wanted in given.items()))
        best = heapq.nlargest(first, chain(best, found), key=order)
    return sorted(best, key=order, reverse=True)


def check_first(first: int) -> None:
    """Raises TooMuch."""
    if not 1 <= first <= LONGEST:
        raise TooMuch(f"`first` is {first}; it takes 1 to {LONGEST}. `crm replay --until` gives all rows.")


async def funnel(_: Any, info: Info, as_of: AsOf) -> list[StageTotal]:
    found = Totals("stage")
    async with past_rows(info.context.reads, PROJECTIONS["deal"], micros(as_of.at), as_of.clock) as past:
        if not past.needs_fold:
            for row in await past.select(await stages_unchanged(past)):
                found.add_group(row["stage"], int(row["count"]), row["currency"], int(row["amount"]))
        async for rows in past.folded():
            found.add(rows)
    return [
        StageTotal(
            stage=total.value,
            deals=Long(total.count),
            amounts=[Money(minor=Long(minor), currency=currency) for currency, minor in sorted(total.sums.items())],
        )
        for total in found.found()
    ]


async def stages_unchanged(past: PastRows) -> str:
    """Returns the query for the deals that are as they were: the totals of now without what was touched since."""
    ((counted,),) = [
        row.values() for row in await past.select("SELECT to_regclass('read.deal_totals') IS NOT NULL AS x")
    ]
    return STAGES_BY_TOTALS if counted else STAGES_BY_ROWS


async def deals_as_of(
    _: Any,
    info: Info,
    as_of: AsOf,
    first: int,
    stage: str | None = None,
    owner: str | None = None,
    contact: str | None = None,
) -> list[Shaped]:
    check_first(first)
    given: dict[str, set[str]] = {name: {v} for name, v in (("stage", stage), ("owner", owner)) if v is not None}
    reads, deals = info.context.reads, PROJECTIONS["deal"]
    async with past_rows(reads, deals, micros(as_of.at), as_of.clock) as past:
        if contact is not None:
            given["contact_id"] = await with_merged_contacts(past, Id(known_id(contact)))
        found = await list_as_of(past, first, given, given.keys() & {"contact_id"})
    return [as_read(deals, reads.workspace, row, as_of) for row in found]


async def with_merged_contacts(past: PastRows, contact: Id) -> set[str]:
    """Returns the ids of the contact and of all contacts merged into it by then. Raises TooSlow."""
    into: dict[str, str] = {}
    async for events in history.pages(past.connection, (ContactMerged, ContactUnmerged), past.workspace):
        past.check()
        for event in events:
            if past.clock.of(event) <= past.at:
                into.pop(event.contact_id, None)
                if isinstance(event, ContactMerged):
                    into[event.contact_id] = event.into_id
    found = {str(contact)}
    while more := {card for card, to in into.items() if to in found} - found:
        found |= more
    return found


async def contacts_as_of(_: Any, info: Info, as_of: AsOf, first: int, include_merged: bool = False) -> list[Shaped]:
    check_first(first)
    given: dict[str, set[str | None]] = {} if include_merged else {"merged_into": {None}}
    reads, contacts = info.context.reads, PROJECTIONS["contact"]
    async with past_rows(reads, contacts, micros(as_of.at), as_of.clock) as past:
        found = await list_as_of(past, first, given)
    return [as_read(contacts, reads.workspace, row, as_of) for row in found]


def micros(at: datetime) -> Micros:
    return moments.micros(at if at.tzinfo else at.replace(tzinfo=UTC))


def as_read(projection: Projection[Any], workspace: str, row: Any, as_of: AsOf) -> Shaped:
    """Returns a past row as Postgres would give it, marked with its AsOf."""
    found = {c.name: value_of(c, getattr(row, c.name)) for c in projection.columns}
    past = shaped(projection, {"workspace": workspace, **found}) | {AS_OF_KEY: as_of}
    return past | ({SHARES: [share | {AS_OF_KEY: as_of} for share in past[SHARES]]} if SHARES in past else {})


def value_of(column: Column, value: Any) -> Any:
    match column.type:
        case _ if value is None:
            return None
        case "timestamptz":
            return moments.nearest(value)
        case "jsonb":
            return {name: json_decoder.decode(text) for name, text in value.items()}
        case "text[]":
            return [*value]
    return value
