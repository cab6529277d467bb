"""Rows as of a point in time: the argument `asOf` of single rows, and lists and the funnel as of a time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import strawberry

from api.context import Info
from api.errors import BadInput, TooMuch
from api.schema.fields import Argument
from api.schema.filters import known_id
from api.schema.scalars import Long, Money
from api.sql.database import json_decoder, translate_errors
from api.sql.plan.rows import MERGES
from api.sql.plan.statement import NotPlannable, Rule, Site
from api.sql.reads import SHARES, Reads, Shaped, shaped
from crm import moments
from crm.adapters.postgres import history
from crm.asof import row_as_of, rows_as_of, totals
from crm.errors import Broken
from crm.projection import Column, Projection
from crm.scalars import Id, Micros
from projections import PROJECTIONS

LIMIT = 50_000  # events that one operation may fold, which takes some tenths of a second
LONGEST = 100  # rows of a list
AS_OF_KEY = "as of"  # key of a past row's AsOf; no column has this name
strawberry.enum(moments.Clock, description="Which time of an event counts: when it happened, or when it was recorded.")


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


async def all_rows(info: Info, projection: Projection[Any], as_of: AsOf) -> list[Any]:
    """Returns all rows of the workspace as of a time. Raises TooMuch."""
    reads, at = info.context.reads, micros(as_of.at)
    async with folding(reads) as (connection, left):
        events = await history.of_workspace(connection, projection, Id(reads.workspace), left)
        reads.folded += len(events)
    return [*(await asyncio.to_thread(rows_as_of, projection, events, at, as_of.clock)).values()]


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
    info: Info, projection: Projection[Any], as_of: AsOf, first: int, given: Mapping[str, Collection[str | None]]
) -> list[Shaped]:
    """Returns rows that have one of these values in each of these columns, last changed first."""
    if not 1 <= first <= LONGEST:
        raise TooMuch(f"`first` is {first}; it takes 1 to {LONGEST}. `crm replay --until` gives all rows.")
    rows = [
        row
        for row in await all_rows(info, projection, as_of)
        if all(getattr(row, name) in values for name, values in given.items())
    ]
    rows.sort(key=lambda row: (row.touched_at, getattr(row, projection.key)), reverse=True)
    return [as_read(projection, info.context.reads.workspace, row, as_of) for row in rows[:first]]


async def funnel(_: Any, info: Info, as_of: AsOf) -> list[StageTotal]:
    found = totals(await all_rows(info, PROJECTIONS["deal"], as_of), "stage")
    return [
        StageTotal(
            stage=total.value,
            deals=Long(total.count),
            amounts=[Money(minor=Long(minor), currency=currency) for currency, minor in sorted(total.sums.items())],
        )
        for total in found
    ]


async def deals_as_of(
    _: Any,
    info: Info,
    as_of: AsOf,
    first: int,
    stage: str | None = None,
    owner: str | None = None,
    contact: str | None = None,
) -> list[Shaped]:
    given = {name: {value} for name, value in (("stage", stage), ("owner", owner)) if value is not None}
    if contact is not None:
        given["contact_id"] = await with_merged_contacts(info, Id(known_id(contact)), as_of)
    return await list_as_of(info, PROJECTIONS["deal"], as_of, first, given)


async def with_merged_contacts(info: Info, contact: Id, as_of: AsOf) -> set[str]:
    """Returns the ids of the contact and of all contacts merged into it by then."""
    found = {str(contact)}
    into = [(card.contact_id, card.merged_into) for card in await all_rows(info, PROJECTIONS["contact"], as_of)]
    while more := {card for card, to in into if to in found} - found:
        found |= more
    return found


async def contacts_as_of(_: Any, info: Info, as_of: AsOf, first: int, include_merged: bool = False) -> list[Shaped]:
    given: dict[str, set[str | None]] = {} if include_merged else {"merged_into": {None}}
    return await list_as_of(info, PROJECTIONS["contact"], as_of, first, given)


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
