"""`crm verify`: every projection against a fresh fold of the journal. Changes nothing."""

import asyncio
from typing import Annotated

import typer

from projections import PROJECTIONS
from services.cli import output as show
from services.cli.commands.rebuild import MEGABYTE, chosen, differences
from services.cli.options import Data, Json
from services.cli.rebuild_progress import progress
from services.cli.target import target
from streams.rebuild.compare import verify as verifying
from streams.rebuild.rebuild import Plan

STOPPED = "Stopped. What is read was not touched."


def verify(
    names: Annotated[list[str] | None, typer.Argument(help=f"All unless told: {', '.join(PROJECTIONS)}.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows in memory; the rest waits in Postgres.")] = 1024,
    data: Data = None,
    json: Json = False,
) -> None:
    """Compare what is read with a fresh fold of the journal; exit code 1 when they differ. Changes nothing."""
    here = target(data)
    with progress(json, stopped=STOPPED) as told:
        plan = Plan(
            *(here.kafka_bootstrap, here.database_url, chosen(names or [], every=not names)),
            workers=workers,
            budget=memory * MEGABYTE,
        )
        found = asyncio.run(verifying.verify(plan, told))
    if json:
        show.as_json({"same": found.same, **{name: getattr(found, name) for name in found.__struct_fields__}})
    else:
        rows = [
            (name, found.checksums.get(name, ""), r.equal, r.changed, r.only_here, r.only_there, r.moving)
            for name, r in found.reports.items()
        ]
        show.table(("projection", "checksum", "equal", "changed", "only read", "only folded", "moving"), rows)
        differences(found.reports)
        end = "All rows are what the journal gives." if found.same else "Mend them with `crm rebuild NAME`."
        typer.echo(f"{found.events:,} events folded in {sum(found.seconds.values()):.1f} s. {end}")
    if not found.same:
        raise typer.Exit(1)
