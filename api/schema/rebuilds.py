"""The last rebuilds of read models, each with how the new rows compare with those that were read."""

from collections.abc import Mapping
from datetime import datetime
from types import GenericAlias
from typing import Any

import strawberry
from psycopg.rows import dict_row
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput, Unavailable
from api.schema.fields import Argument, field
from api.schema.processing import READ_ONLY, permitted
from api.schema.scalars import Long
from crm.rebuilds import CUT_OFF, LOCK

MOST = 100
# Of a lock of two numbers, pg_locks shows one as classid and one as objid.
NEWEST = f"""
SELECT r.*, r.ended_at IS NULL AND EXISTS (
  SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {LOCK}
  AND l.objid::bigint = hashtext(r.names[1])::bigint & 4294967295) AS at_work
FROM core.rebuild AS r ORDER BY r.id DESC LIMIT %s"""


@strawberry.type(description="A column that differs in a row.")
class RebuildColumn:
    name: str = strawberry.field(description="Name of the column.")
    read: JSON | None = strawberry.field(description="Its value in the rows that were read.")
    new: JSON | None = strawberry.field(description="Its value in the new rows.")


@strawberry.type(description="A row of the workspace that differs.")
class RebuildExample:
    id: strawberry.ID = strawberry.field(description="Key of the row.")
    kind: str = strawberry.field(description="changed, only_here (only read) or only_there (only new).")
    columns: list[RebuildColumn] = strawberry.field(description="Those that differ.")


@strawberry.type(description="How the new rows of a read model compare with those that were read.")
class ShadowReport:
    name: str = strawberry.field(description="Name of the read model.")
    equal: Long = strawberry.field(description="Rows that are the same.")
    changed: Long = strawberry.field(description="Rows of which a column differs.")
    only_read: Long = strawberry.field(description="Rows that the new ones lack.")
    only_new: Long = strawberry.field(description="Rows that only the new ones have.")
    moving: Long = strawberry.field(description="Rows that were left out: events touched them meanwhile.")
    examples: list[RebuildExample] = strawberry.field(
        description="Some that differ, of this workspace alone; the counts are of all."
    )


@strawberry.type(description="A rebuild of read models from the journal.")
class Rebuild:
    id: strawberry.ID = strawberry.field(description="Unique id.")
    names: list[str] = strawberry.field(description="The read models.")
    began_at: datetime = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null: not yet.")
    at_work: bool = strawberry.field(description="Whether it is at work now.")
    step: str = strawberry.field(description="fold, index, follow, compare or swap: where it is, or was last.")
    events: Long = strawberry.field(description="Events that the new rows are a fold of; 0 until it is done.")
    rows: Long = strawberry.field(description="New rows; 0 until it is done.")
    problem: str | None = strawberry.field(description="Why nothing was swapped, as text for people.")
    reports: list[ShadowReport] = strawberry.field(
        description="By read model; none where there was nothing to compare with, as of a new version."
    )


async def rebuilds(_: Any, info: Info, first: int = 20) -> list[Rebuild]:
    context = permitted(info)
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is 1 to {MOST}. Nothing was read.")
    if context.executor is None:
        raise Unavailable(READ_ONLY)
    async with context.executor.connection("rebuilds") as conn:
        cursor = conn.cursor(row_factory=dict_row)
        await cursor.execute(NEWEST.encode(), [first])
        return [shown(row, context.token.workspace) for row in await cursor.fetchall()]


def shown(row: Mapping[str, Any], workspace: str) -> Rebuild:
    cut_off = row["ended_at"] is None and not row["at_work"]
    return Rebuild(
        id=strawberry.ID(str(row["id"])),
        names=row["names"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        at_work=row["at_work"],
        step=row["step"],
        events=Long(row["events"]),
        rows=Long(sum(row["rows"].values())),
        problem=CUT_OFF if cut_off else row["problem"] or None,
        reports=[report(name, found, workspace) for name, found in row["reports"].items()],
    )


def report(name: str, found: Mapping[str, Any], workspace: str) -> ShadowReport:
    own = [one for one in found["examples"] if one["workspace"] == workspace]
    return ShadowReport(
        name=name,
        equal=Long(found["equal"]),
        changed=Long(found["changed"]),
        only_read=Long(found["only_here"]),
        only_new=Long(found["only_there"]),
        moving=Long(found["moving"]),
        examples=[example(one) for one in own],
    )


def example(one: Mapping[str, Any]) -> RebuildExample:
    columns = [RebuildColumn(name=name, read=JSON(read), new=JSON(new)) for name, (read, new) in one["columns"].items()]
    return RebuildExample(id=strawberry.ID(one["key"]), kind=one["kind"], columns=columns)


REBUILDS = field(
    GenericAlias(list, Rebuild),
    {"first": Argument(int, 20, f"How many, at most {MOST}.")},
    rebuilds,
    "The last rebuilds of read models, the newest first. Needs the scope `connect`.",
)
