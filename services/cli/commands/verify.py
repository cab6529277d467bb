"""`crm verify`: compares every projection with a fresh fold of the journal. Changes nothing."""

import asyncio
from typing import Annotated

import typer

from projections import PROJECTIONS
from services.cli import output
from services.cli.commands.rebuild import MEGABYTE, chosen, differences
from services.cli.options import Data, Json
from services.cli.rebuild_progress import progress
from services.cli.target import target
from streams.rebuild.compare import verify as verifying
from streams.rebuild.rebuild import RebuildPlan

PANEL, RANK = "Operate", 1

STOPPED = "Stopped. The read models were not changed."


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Projections, by default all: {', '.join(PROJECTIONS)}.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 2,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows kept in memory; the rest is kept in Postgres.")] = 1024,
    data: Data = None,
    json: Json = False,
) -> None:
    """Compare the read models with a fresh fold of the journal. Exits with 1 when they differ. Changes nothing."""
    here = target(data)
    with progress(json, stopped=STOPPED) as listener:
        plan = RebuildPlan(
            *(here.kafka_bootstrap, here.database_url, chosen(names or [], every=not names)),
            workers=workers,
            budget=memory * MEGABYTE,
        )
        found = asyncio.run(verifying.verify(plan, listener))
    if json:
        output.print_json({"same": found.same, **{name: getattr(found, name) for name in found.__struct_fields__}})
    else:
        rows = [
            (name, found.checksums.get(name, ""), r.equal, r.changed, r.only_here, r.only_there, r.moving)
            for name, r in found.reports.items()
        ]
        output.print_table(("projection", "checksum", "equal", "changed", "only read", "only folded", "moving"), rows)
        differences(found.reports)
        for name, cells in found.totals.items():
            for cell in cells:
                where = ", ".join(f"{key} {value}" for key, value in cell.cell.items() if value)
                typer.echo(f"  {name} total of {where}: {cell.kept} is kept, the rows give {cell.counted}")
        for name, values in found.fields.items():
            for value in values:
                where = f"{name} {value.row} custom field {value.field}"
                typer.echo(f"  {where}: {value.kept} is kept to sort by, the row gives {value.held}")
        right = "All rows match the journal, all totals match the rows."
        end = right if found.same else "Repair them with `crm rebuild NAME`."
        output.say(f"{found.events:,} events folded in {sum(found.seconds.values()):.1f} s. {end}")
    if not found.same:
        raise typer.Exit(1)
