"""A projection's totals in Postgres: a table of cells next to its rows, filled and compared by one expression.

A cell has its count and sums for one journal partition, so that two processes never write the same cell. Cells are only
added to, so their sum over the partitions is right whichever partition a change came from. A rebuild counts the rows
that it made in cells of the partition NOWHERE.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import psycopg

from crm import totals
from crm.adapters.postgres.binary import Packed, array
from crm.adapters.postgres.read_models import quote
from crm.adapters.postgres.side_table import SideTable
from crm.projection import Projection
from crm.totals import ALL, DAY, LONGEST, MONTH

SUFFIX = "_totals"  # of the table's name
NOWHERE = -1
PERIODS = {MONTH: "date_trunc('month', {0}, 'UTC')", DAY: "date_trunc('day', {0}, 'UTC')"}
EXAMPLES = 5
Connection = psycopg.Connection[Any]


class WrongTotal(NamedTuple):
    """A cell that does not say what the rows say; counts and sums in the order of the table's columns."""

    workspace: str
    cell: dict[str, str]
    kept: dict[str, Any]
    counted: dict[str, Any]


def keys(projection: Projection[Any]) -> list[str]:
    """Returns the columns that name a cell, but for its partition."""
    currency = ["currency"] if totals.in_currencies(projection) else []
    return ["workspace", "total", "grain", "period", *totals.groups(projection), *currency]


def numbers(projection: Projection[Any]) -> dict[str, str]:
    """Returns SQL for what a row `r` adds to the columns that are summed up, by name."""
    required = {c.name: c.required for c in projection.columns}
    found = {"count": "1"}
    for name in projection.summed:
        found[name] = f"coalesce(r.{name}, 0)::numeric"
        if not required[name]:
            found[f"{name}_count"] = f"(r.{name} IS NOT NULL)::int"
    return found


def definition(projection: Projection[Any]) -> str:
    """Returns the statement for the table. Sums are numeric: no amount makes them overflow."""
    name, columns = table(projection), keys(projection)
    lines = ["workspace uuid NOT NULL", "total text NOT NULL", "grain text NOT NULL", "period timestamptz NOT NULL"]
    lines += [f"{column} text NOT NULL" for column in columns[4:]] + ["partition int NOT NULL"]
    kinds = {column: "numeric" if column in projection.summed else "bigint" for column in numbers(projection)}
    lines += [f"{column} {kind} NOT NULL" for column, kind in kinds.items()]
    lines.append(f"PRIMARY KEY ({', '.join(columns)}, partition)")
    body = ",\n  ".join(lines)
    return f"CREATE TABLE IF NOT EXISTS {name} (\n  {body}\n) WITH (fillfactor = 70);"


def about(projection: Projection[Any]) -> str:
    sums = f" with the sums of {', '.join(projection.summed)}" if projection.summed else ""
    return f"Totals of {projection.name}: {'; '.join(projection.totals)}{sums}. Add up the partitions."


def refusal(projection: Projection[Any]) -> str:
    return (
        f"The totals of projection {projection.name} have changed, and its version is still {projection.version}. "
        "Nothing was changed. Raise its version: the new table is filled and counted from the journal."
    )


def cells(
    projection: Projection[Any], rows: str, counted: Mapping[str, str] | None = None, partition: str = str(NOWHERE)
) -> str:
    """Returns a query for the cells that rows make up. `rows`: SQL for a FROM clause that names them `r`.

    `counted`: SQL for what each adds, by column; by default what a row of the read model does. `partition`: SQL too.
    """
    columns = keys(projection)
    values = ", ".join(f"({', '.join(entry)})" for entry in entries(projection))
    listed = ", ".join(f"c.{name}" for name in columns[1:] if name != "currency")
    currency = f", {group('currency')}" if "currency" in columns else ""
    sums = ", ".join(f"sum({value}) AS {name}" for name, value in (counted or numbers(projection)).items())
    given = ", ".join(["total", "grain", "period", *totals.groups(projection)])
    grouped = ", ".join(str(n + 1) for n in range(len(columns) + 1))
    return (
        f"SELECT r.workspace, {listed}{currency}, {partition}, {sums} FROM {rows} "
        f"CROSS JOIN LATERAL (VALUES {values}) AS c({given}) WHERE c.period IS NOT NULL GROUP BY {grouped}"
    )


def group(name: str) -> str:
    """Returns SQL for a row's value in a column of cells."""
    return f"left(coalesce(r.{name}::text, ''), {LONGEST})"


def entries(projection: Projection[Any]) -> list[list[str]]:
    """Returns SQL for the cells that a row `r` belongs to: total, grain, period, and a value for each group."""
    found = []
    for total in totals.totals(projection):
        values = [group(name) if name in total.columns else "''" for name in totals.groups(projection)]
        if not total.time:
            found.append([quote(total.name), quote(ALL), "timestamptz 'epoch'", *values])
        else:
            for grain, period in PERIODS.items():
                found.append([quote(total.name), quote(grain), period.format(f"r.{total.time}"), *values])
    return found


def target(projection: Projection[Any]) -> str:
    columns = ", ".join([*keys(projection), "partition", *numbers(projection)])
    return f"{table(projection)} AS t ({columns})"


@cache
def add(projection: Projection[Any]) -> str:
    """Parameters: `packed` changes.

    Cells are written in the order of their keys, so that two writers never wait for each other in a circle.
    """
    columns = {"workspace": "uuid", "partition": "bigint", **totals.places(projection)}
    counted = {name: f"r.{name}::numeric" for name in numbers(projection)}
    given = ", ".join([*(f"%s::{kind}[]" for kind in columns.values()), *("%s::text[]" for _ in counted)])
    rows = f"unnest({given}) AS r({', '.join([*columns, *counted])})"
    changed = " OR ".join(f"sum({value}) <> 0" for value in counted.values())
    order = ", ".join(str(n + 1) for n in range(len(keys(projection)) + 1))
    added = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in counted)
    return (
        f"INSERT INTO {target(projection)} {cells(projection, rows, counted, 'r.partition')} "
        f"HAVING {changed} ORDER BY {order} "
        f"ON CONFLICT ({', '.join(keys(projection))}, partition) DO UPDATE SET {added}"
    )


def packed(projection: Projection[Any], changes: Sequence[tuple[Any, ...]]) -> list[Packed]:
    """Returns the parameters of `add`. `changes`: workspace, partition, and what `totals.Tally` gives."""
    kinds = ["uuid", "bigint", *totals.places(projection).values()]
    columns = [*zip(*changes, strict=True)]
    found = [array(kind, values) for kind, values in zip(kinds, columns, strict=False)]
    return found + [array("text", [*map(str, values)]) for values in columns[len(kinds) :]]  # of any size


def count_rows(conn: Connection, projection: Projection[Any]) -> None:
    """Counts all rows of a table that a rebuild filled. The table of totals is empty before."""
    if projection.totals:
        counted = cells(projection, f"{projection.qualified_name} AS r")
        conn.execute(f"INSERT INTO {target(projection)} {counted}".encode())


TOTALS = SideTable(SUFFIX, lambda projection: bool(projection.totals), about, definition, refusal, count_rows)
table, view = TOTALS.table, TOTALS.view


def wrong(conn: Connection, projection: Projection[Any]) -> list[WrongTotal]:
    """Compares the totals with the rows, in one statement for one state of both. Returns some that differ."""
    if not projection.totals:
        return []
    named, summed = keys(projection), list(numbers(projection))
    whole = ", ".join(f"sum({name}) AS {name}" for name in summed)
    some = " OR ".join(f"sum({name}) <> 0" for name in summed)
    by = ", ".join(named)
    differs = " OR ".join(f"coalesce(k.{name}, 0) <> coalesce(c.{name}, 0)" for name in summed)
    cell = ", ".join(f"'{name}', {name}" for name in named[1:])
    columns = ", ".join([*named, "partition", *summed])
    query = (
        f"WITH kept AS (SELECT {by}, {whole} FROM {table(projection)} GROUP BY {by} HAVING {some}), "
        f"counted ({columns}) AS ({cells(projection, f'{projection.qualified_name} AS r')}) "
        f"SELECT workspace::text, json_build_object({cell}), to_json(k), to_json(c) FROM kept AS k "
        f"FULL JOIN counted AS c USING ({by}) WHERE {differs} ORDER BY {by} LIMIT {EXAMPLES}"
    )
    found = []
    for workspace, names, kept, counted in conn.execute(query.encode()):
        sides = ({name: (side or {}).get(name, 0) for name in summed} for side in (kept, counted))
        found.append(WrongTotal(workspace, names, *sides))
    return found
