"""Rows as they were at a moment: the argument `asOf` of one row, lists and the funnel as of a moment."""

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
from api.sql.database import exact, told_apart
from api.sql.plan.statement import Rule, Site, Unfit
from api.sql.reads import MERGES, SHARES, Reads, Shaped, shaped
from crm import moments
from crm.adapters.postgres import history
from crm.asof import row_as_of, rows_as_of, totals
from crm.errors import Broken
from crm.projection import Column, Projection
from crm.scalars import Id, Micros
from projections import PROJECTIONS

LIMIT = 50_000  # events that one operation may fold: some tenths of a second
LONGEST = 100  # rows of a list
PAST = "as of"  # under which a row of the past says of which moment it is: no column has such a name
strawberry.enum(moments.Clock, description="Every event has two: when it happened, and when it came to be known here.")


@strawberry.input(description="A moment in the past, on one of two clocks.")
class AsOf:
    at: datetime = strawberry.field(
        description="With its zone. What is dated at this very moment counts. By RECORDED: what was known then; once "
        "the moment is over and its events are in the read models, the answer stays the same for ever. By OCCURRED: "
        "what was true then, as far as is known now; a fact that comes late changes it. A moment ahead gives what is "
        "known now."
    )
    clock: moments.Clock = strawberry.field(default=moments.Clock.OCCURRED, description="By which clock.")


@strawberry.type(description="What the deals of one stage came to.")
class StageTotal:
    stage: str
    deals: Long = strawberry.field(description="How many there were.")
    amounts: list[Money] = strawberry.field(description="What they are worth, a sum for each currency.")


AS_OF = Argument(
    AsOf | None,
    None,
    "The row as it was then, folded from its events, and so is what it refers to. Lists below it are refused: "
    "`dealsAsOf` and `contactsAsOf` are of a moment.",
)


def of_now(rule: Rule) -> Rule:
    """The plan of the field where it is asked for as it is; the past is folded, not selected."""

    def told(site: Site) -> str:
        if any(argument.name.value == "asOf" for argument in site.nodes[0].arguments or ()):
            raise Unfit("as of a moment")
        return rule(site)

    return told


async def row(info: Info, projection: Projection[Any], id: str, as_of: AsOf) -> Shaped | None:
    """None when it was not there yet. Raises TooMuch."""
    reads, at = info.context.reads, micros(as_of.at)
    events = await own_events(reads, projection, Id(known_id(id)))
    found = await asyncio.to_thread(row_as_of, projection, events, at, as_of.clock)
    return None if found is None else as_read(projection, reads.workspace, found, as_of)


async def referred(info: Info, projection: Projection[Any], key: str | None, as_of: AsOf) -> Shaped | None:
    """What a row of the past refers to, of the same moment; a contact is the card that it was merged into by then."""
    found = await row(info, projection, key, as_of) if key else None
    for _ in range(MERGES):
        if found is None or found.get("merged_into") is None:
            break
        found = await row(info, projection, found["merged_into"], as_of)
    return found


def present(source: Any, name: str) -> None:
    """Raises BadInput below a row of the past: what this field would give is of now."""
    if isinstance(source, dict) and PAST in source:
        raise BadInput(
            f"`{name}` below a row as of a moment would be as it is now, so it is refused. Ask for it without `asOf`, "
            "or for `dealsAsOf` with `contact`; `crm asof` and `crm replay --until` know every read model."
        )


async def own_events(reads: Reads, projection: Projection[Any], key: Id) -> Sequence[Any]:
    """Of one row. Raises TooMuch past what one operation may fold."""
    async with folding(reads) as (connection, left):
        events = await history.of_row(connection, projection, Id(reads.workspace), key, left)
        reads.folded += len(events)
    return events


async def all_rows(info: Info, projection: Projection[Any], as_of: AsOf) -> list[Any]:
    """Of the workspace. Raises TooMuch."""
    reads, at = info.context.reads, micros(as_of.at)
    async with folding(reads) as (connection, left):
        events = await history.of_workspace(connection, projection, Id(reads.workspace), left)
        reads.folded += len(events)
    return [*(await asyncio.to_thread(rows_as_of, projection, events, at, as_of.clock)).values()]


@asynccontextmanager
async def folding(reads: Reads) -> AsyncIterator[tuple[Any, int]]:
    """A connection, and how many events this operation may still fold. One field after the other, or each would have
    all of them."""
    async with reads.one_by_one:
        try:
            with told_apart():
                async with reads.pool.reading(reads.workspace) as connection:
                    yield connection, LIMIT - reads.folded
        except Broken as error:
            raise TooMuch(str(error)) from None


async def listed(
    info: Info, projection: Projection[Any], as_of: AsOf, first: int, given: Mapping[str, Collection[str | None]]
) -> list[Shaped]:
    """The latest touched first, with one of these values in each of these columns."""
    if not 1 <= first <= LONGEST:
        raise TooMuch(f"`first` is {first}; it takes 1 to {LONGEST}. For all of them: crm replay --until.")
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
        given["contact_id"] = await family(info, Id(known_id(contact)), as_of)
    return await listed(info, PROJECTIONS["deal"], as_of, first, given)


async def family(info: Info, contact: Id, as_of: AsOf) -> set[str]:
    """The contact, and all that were merged into it by then."""
    found = {str(contact)}
    into = [(card.contact_id, card.merged_into) for card in await all_rows(info, PROJECTIONS["contact"], as_of)]
    while more := {card for card, to in into if to in found} - found:
        found |= more
    return found


async def contacts_as_of(_: Any, info: Info, as_of: AsOf, first: int, include_merged: bool = False) -> list[Shaped]:
    given: dict[str, set[str | None]] = {} if include_merged else {"merged_into": {None}}
    return await listed(info, PROJECTIONS["contact"], as_of, first, given)


def micros(at: datetime) -> Micros:
    return moments.micros(at if at.tzinfo else at.replace(tzinfo=UTC))


def as_read(projection: Projection[Any], workspace: str, row: Any, as_of: AsOf) -> Shaped:
    """A row as Postgres would give it; it says of which moment it is."""
    found = {c.name: value_of(c, getattr(row, c.name)) for c in projection.columns}
    told = shaped(projection, {"workspace": workspace, **found}) | {PAST: as_of}
    return told | ({SHARES: [share | {PAST: as_of} for share in told[SHARES]]} if SHARES in told else {})


def value_of(column: Column, value: Any) -> Any:
    match column.type:
        case _ if value is None:
            return None
        case "timestamptz":
            return moments.nearest(value)
        case "jsonb":
            return {name: exact.decode(text) for name, text in value.items()}
        case "text[]":
            return [*value]
    return value
