"""`crm replay`: an analyst's own projection file over history, into a file or a database."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from crm.projection import Projection
from services.cli import output as show
from services.cli.commands.archive import quieten
from services.cli.options import Data, Json
from services.cli.target import target
from services.operations.archive.progress import Advance, progress

MEGABYTE = 1 << 20


class To(StrEnum):
    """Where rows go."""

    PARQUET = "parquet"
    DUCKDB = "duckdb"
    CSV = "csv"
    POSTGRES = "postgres"


def replay(
    file: Annotated[Path, typer.Argument(help="A Python file with a projection: docs/replay.md has one to copy.")],
    to: Annotated[To, typer.Option(help="What is written.")] = To.PARQUET,
    out: Annotated[
        Path | None, typer.Option(help="The file, or a folder.", show_default="NAME.parquet … in this folder")
    ] = None,
    since: Annotated[str, typer.Option(help="From this day or time on (UTC), or 30d, 2h: so long ago.")] = "",
    until: Annotated[str, typer.Option(help="To the end of this day, or to this time.")] = "",
    clock: Annotated[
        str, typer.Option(help="Of both: occurred (what was true) or recorded (what we knew).")
    ] = "occurred",
    workspace: Annotated[str, typer.Option(help="Its id.", show_default="all")] = "",
    types: Annotated[str, typer.Option(help="Only these events, with commas.", show_default="all it folds")] = "",
    archive: Annotated[Path | None, typer.Option(help="Read this archive instead of Kafka.")] = None,
    tail: Annotated[bool, typer.Option("--tail", help="With --archive: and what Kafka has after it.")] = False,
    schema: Annotated[str, typer.Option(help="Of the tables in Postgres.")] = "replays",
    processes: Annotated[int, typer.Option(min=0, help="At once.", show_default="a core")] = 0,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows in memory; the rest waits on the disk.")] = 1024,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Pass over events that a newer release wrote.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Fold history by your own projection. What has the target's name is whole: the old one, or the new one."""
    quieten()
    from streams.replay import call

    began = time.monotonic()
    with ExitStack() as bar:
        advance: list[Advance] = []
        done = call.write(
            file,
            maker(to, out, schema, data),
            lambda count: advance[0](count),
            started=lambda total: advance.append(bar.enter_context(progress("Replaying", total, "events", json))),
            since=since,
            until=until,
            clock=clock,
            workspace=workspace,
            types=[word.strip() for word in types.split(",") if word.strip()],
            archive=archive,
            tail=tail,
            kafka=partial(bootstrap, data),
            workers=processes,
            memory=memory * MEGABYTE,
            skip_unknown=skip_unknown,
        )
    tell(done, time.monotonic() - began, json)


def bootstrap(data: Path | None) -> str:
    """Of the Kafka that the environment names, else of the stack that runs here. Raises NotRunning."""
    return os.environ.get("KAFKA_BOOTSTRAP") or target(data).kafka_bootstrap


def maker(to: To, out: Path | None, schema: str, data: Path | None) -> Callable[[Sequence[Projection[Any]]], Any]:
    """Makes the target, once it is known what goes into it. Raises NotRunning, NotInstalled, ValueError."""
    from streams.replay import postgres, targets

    def database(projections: Sequence[Projection[Any]]) -> Any:
        return postgres.Postgres(projections, os.environ.get("DATABASE_URL") or target(data).database_url, schema)

    return database if to is To.POSTGRES else lambda projections: targets.KINDS[to](projections, out)


def tell(done: Any, seconds: float, json: bool) -> None:
    rate = round(done.events / max(seconds, 0.001))
    if json:
        figures = {"seconds": round(seconds, 3), "rate": rate, "unknown": done.unknown, "places": done.places}
        show.as_json({"events": done.events, "rows": done.rows, **figures})
        return
    for name, count in done.rows.items():
        typer.echo(f"{name:<32} {count:>14,} rows  {done.places[name]}")
    for id, count in done.unknown.items():
        typer.echo(f"Passed over {count:,} events of schema {id}, which is not in the registry.", err=True)
    typer.echo(f"Folded {done.events:,} events in {seconds:.1f} s ({rate:,}/s).")
