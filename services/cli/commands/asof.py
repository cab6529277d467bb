"""`crm asof`: a row, or all rows, as they were at a point in time."""

import asyncio
from typing import Annotated, Any

import typer
from msgspec.structs import asdict

from crm import moments
from crm.adapters.postgres import history
from crm.asof import row_as_of, rows_as_of, totals
from crm.moments import Clock
from crm.money import money_text
from crm.projection import Projection
from crm.scalars import Id, Micros
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.row_lookup import key_of, projection_of, read_only_connection
from services.cli.target import target, workspace

PANEL, RANK = "History", 1

SHOWN = 100  # rows that are printed; --json prints all


def asof(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Any read model: deal, contact, payment …")],
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the row, or number of a deal (D-7). `all`: every row.")
    ],
    at: Annotated[
        str, typer.Argument(metavar="MOMENT", help="A day (its end), a time, `now`, or how long ago (7d). UTC.")
    ] = "now",
    clock: Annotated[
        str, typer.Option(help="occurred: what was true then. recorded: what was known then.")
    ] = "occurred",
    by: Annotated[str, typer.Option(help="With `all`: counts and sums by this column, such as stage.")] = "",
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Show a row as it was at a point in time, computed from its events."""
    projection, moment, by_clock = projection_of(kind), moments.last(at), moments.clock(clock)
    if by and (id != "all" or by not in {column.name for column in projection.columns}):
        raise ValueError(
            f"--by works with `all` and takes one of these columns: {', '.join(c.name for c in projection.columns)}."
        )
    dsn, owner = target(data).database_url, workspace(workspace_id, data)
    if id == "all":
        rows = asyncio.run(all_rows(dsn, projection, owner, moment, by_clock))
        print_totals(rows, by, json) if by else print_rows(projection, rows, json)
        return
    row = asyncio.run(one_row(dsn, projection, owner, id, moment, by_clock))
    if json:
        output.print_json(plain(projection, row) if row else None)
    elif row is None:
        typer.echo(f"There was no such {kind} at {moments.written(moment)} ({by_clock} time).")
    else:
        output.print_table(("field", "value"), list(plain(projection, row).items()))


async def one_row(dsn: str, projection: Projection[Any], owner: Id, id: str, at: Micros, clock: Clock) -> Any:
    async with read_only_connection(dsn) as conn:
        key = await key_of(conn, projection, owner, id)
        return row_as_of(projection, await history.of_row(conn, projection, owner, key), at, clock)


async def all_rows(dsn: str, projection: Projection[Any], owner: Id, at: Micros, clock: Clock) -> list[Any]:
    async with read_only_connection(dsn) as conn:
        return [*rows_as_of(projection, await history.of_workspace(conn, projection, owner), at, clock).values()]


def plain(projection: Projection[Any], row: Any) -> dict[str, Any]:
    """Returns the row's fields, times as ISO text."""
    times = {column.name for column in projection.columns if column.type == "timestamptz"}
    return {name: moments.written(v) if name in times and v is not None else v for name, v in asdict(row).items()}


def print_rows(projection: Projection[Any], rows: list[Any], json: bool) -> None:
    plain_rows = [plain(projection, row) for row in rows]
    if json:
        output.print_json(plain_rows)
        return
    columns = [column.name for column in projection.columns]
    output.print_table(columns, [[row[name] for name in columns] for row in plain_rows[:SHOWN]])
    if len(rows) > SHOWN:
        typer.echo(f"The first {SHOWN} of {len(rows):,} rows; --json prints all.", err=True)


def print_totals(rows: list[Any], by: str, json: bool) -> None:
    found = totals(rows, by)
    if json:
        output.print_json(found)
        return
    sums = [", ".join(money_text(minor, currency) for currency, minor in total.sums.items()) for total in found]
    output.print_table((by, "count", "sum"), [(t.value, t.count, text) for t, text in zip(found, sums, strict=True)])
