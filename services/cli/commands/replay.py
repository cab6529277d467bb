"""`crm replay`: runs an analyst's own projection over history, into a file or a database."""

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
from services.cli import output
from services.cli.commands.archive import silence_aiokafka
from services.cli.options import Data, Json
from services.cli.target import target
from services.operations.archive.progress import Advance, progress

PANEL, RANK = "History", 2

MEGABYTE = 1 << 20


class To(StrEnum):
    """Output formats."""

    PARQUET = "parquet"
    DUCKDB = "duckdb"
    CSV = "csv"
    POSTGRES = "postgres"


def replay(
    file: Annotated[Path, typer.Argument(help="A Python file with a projection: docs/replay.md has one to copy.")],
    to: Annotated[To, typer.Option(help="Output format.")] = To.PARQUET,
    out: Annotated[
        Path | None, typer.Option(help="Output file or folder.", show_default="NAME.parquet … in the current folder")
    ] = None,
    since: Annotated[str, typer.Option(help="From this day or time (UTC), or how long ago: 30d, 2h.")] = "",
    until: Annotated[str, typer.Option(help="Until the end of this day, or this time.")] = "",
    clock: Annotated[
        str, typer.Option(help="Clock of --since and --until: occurred (what was true) or recorded (what was known).")
    ] = "occurred",
    workspace: Annotated[str, typer.Option(help="Id of a workspace.", show_default="all")] = "",
    types: Annotated[
        str, typer.Option(help="Only these event types, comma-separated.", show_default="all that it folds")
    ] = "",
    archive: Annotated[Path | None, typer.Option(help="Read this archive instead of Kafka.")] = None,
    tail: Annotated[bool, typer.Option("--tail", help="With --archive: also read what Kafka has after it.")] = False,
    schema: Annotated[str, typer.Option(help="Schema of the tables in Postgres.")] = "replays",
    processes: Annotated[int, typer.Option(min=0, help="Number of processes.", show_default="one per core")] = 0,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows kept in memory; the rest is kept on disk.")] = 1024,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Skip events that a newer release wrote.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Run your own projection over history. The output is replaced when the new one is complete."""
    silence_aiokafka()
    from streams.replay import runner

    began = time.monotonic()
    with ExitStack() as bar:
        advance: list[Advance] = []
        done = runner.replay_into(
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
    print_outcome(done, time.monotonic() - began, json)


def bootstrap(data: Path | None) -> str:
    """Returns the address of the environment's Kafka, else of the running stack's. Raises NotRunning."""
    return os.environ.get("KAFKA_BOOTSTRAP") or target(data).kafka_bootstrap


def maker(to: To, out: Path | None, schema: str, data: Path | None) -> Callable[[Sequence[Projection[Any]]], Any]:
    """Returns a function that opens the output for the projections. Raises NotRunning, NotInstalled, ValueError."""
    from streams.replay import postgres, targets

    def database(projections: Sequence[Projection[Any]]) -> Any:
        return postgres.PostgresTarget(projections, os.environ.get("DATABASE_URL") or target(data).database_url, schema)

    return database if to is To.POSTGRES else lambda projections: targets.TARGETS[to](projections, out)


def print_outcome(done: Any, seconds: float, json: bool) -> None:
    rate = round(done.events / max(seconds, 0.001))
    if json:
        figures = {"seconds": round(seconds, 3), "rate": rate, "unknown": done.unknown, "places": done.places}
        output.print_json({"events": done.events, "rows": done.rows, **figures})
        return
    for name, count in done.rows.items():
        typer.echo(f"{name:<32} {count:>14,} rows  {done.places[name]}")
    for id, count in done.unknown.items():
        typer.echo(f"Skipped {count:,} events of schema {id}, which is not in the registry.", err=True)
    typer.echo(f"Folded {done.events:,} events in {seconds:.1f} s ({rate:,}/s).")
