"""`crm asof`: a row, or all rows, as they were at a moment."""

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
from services.cli import output as show
from services.cli.options import Data, Json, Workspace
from services.cli.subject import key_of, projection_of, reading
from services.cli.target import target, workspace

SHOWN = 100  # rows of a list that a person reads


def asof(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="deal, contact, payment … : any read model.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id; of a deal also its number, D-7. `all`: every row.")],
    at: Annotated[
        str, typer.Argument(metavar="MOMENT", help="A day (its end), a time, now, or 7d (ago). UTC.")
    ] = "now",
    clock: Annotated[str, typer.Option(help="occurred: what was true. recorded: what we knew.")] = "occurred",
    by: Annotated[str, typer.Option(help="With `all`: counts and sums by this column, as a funnel by stage.")] = "",
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Show a row as it was at a moment, folded from its own events."""
    projection, moment, by_clock = projection_of(kind), moments.last(at), moments.clock(clock)
    if by and (id != "all" or by not in {column.name for column in projection.columns}):
        raise ValueError(f"--by goes with `all` and takes a column: {', '.join(c.name for c in projection.columns)}.")
    dsn, owner = target(data).database_url, workspace(workspace_id, data)
    if id == "all":
        rows = asyncio.run(all_rows(dsn, projection, owner, moment, by_clock))
        tell_totals(rows, by, json) if by else tell_rows(projection, rows, json)
        return
    row = asyncio.run(one_row(dsn, projection, owner, id, moment, by_clock))
    if json:
        show.as_json(plain(projection, row) if row else None)
    elif row is None:
        typer.echo(f"There was no such {kind} at {moments.written(moment)} by the clock `{by_clock}`.")
    else:
        show.table(("field", "value"), list(plain(projection, row).items()))


async def one_row(dsn: str, projection: Projection[Any], owner: Id, id: str, at: Micros, clock: Clock) -> Any:
    async with reading(dsn) as conn:
        key = await key_of(conn, projection, owner, id)
        return row_as_of(projection, await history.of_row(conn, projection, owner, key), at, clock)


async def all_rows(dsn: str, projection: Projection[Any], owner: Id, at: Micros, clock: Clock) -> list[Any]:
    async with reading(dsn) as conn:
        return [*rows_as_of(projection, await history.of_workspace(conn, projection, owner), at, clock).values()]


def plain(projection: Projection[Any], row: Any) -> dict[str, Any]:
    """For people: times are written out."""
    times = {column.name for column in projection.columns if column.type == "timestamptz"}
    said = asdict(row)
    return {name: moments.written(v) if name in times and v is not None else v for name, v in said.items()}


def tell_rows(projection: Projection[Any], rows: list[Any], json: bool) -> None:
    told = [plain(projection, row) for row in rows]
    if json:
        show.as_json(told)
        return
    columns = [column.name for column in projection.columns]
    show.table(columns, [[row[name] for name in columns] for row in told[:SHOWN]])
    if len(told) > SHOWN:
        typer.echo(f"The first {SHOWN} of {len(told):,}; --json prints all.", err=True)


def tell_totals(rows: list[Any], by: str, json: bool) -> None:
    found = totals(rows, by)
    if json:
        show.as_json(found)
        return
    sums = [", ".join(money_text(minor, currency) for currency, minor in total.sums.items()) for total in found]
    show.table((by, "count", "sum"), [(t.value, t.count, told) for t, told in zip(found, sums, strict=True)])
