"""`crm rebuild`: rebuilds a projection from the journal into a second table, which then replaces the present one."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from projections import PROJECTIONS
from services.cli import output, rebuild_all
from services.cli.options import Data, Json
from services.cli.rebuild_progress import progress
from services.cli.target import target
from services.stack import pending_rebuilds
from streams.rebuild import rebuild as rebuilding
from streams.rebuild import rollback as rolling_back
from streams.rebuild.compare.shadow import ShadowReport
from streams.rebuild.rebuild import RebuildPlan, RebuildResult

PANEL, RANK = "Operate", 2

MEGABYTE = 1 << 20


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help=f"Projections: {', '.join(PROJECTIONS)}.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All projections.")] = False,
    from_empty: Annotated[
        bool,
        typer.Option("--from-empty", help="With --all: build a new database from Kafka alone and compare checksums."),
    ] = False,
    swap: Annotated[bool, typer.Option("--swap", help="With --from-empty: use the new database from now on.")] = False,
    rollback: Annotated[bool, typer.Option(help="Serve the previous table again.")] = False,
    drop_old: Annotated[bool, typer.Option(help="Drop the tables that earlier rebuilds left.")] = False,
    archive: Annotated[
        Path | None, typer.Option(help="Read history from this archive, and from Kafka only what came after it.")
    ] = None,
    compare: Annotated[bool, typer.Option(help="Report which rows differ in the new table.")] = True,
    workers: Annotated[
        int, typer.Option(min=0, help="Number of processes.", show_default="2, or 1 while roles are running")
    ] = 0,
    full_speed: Annotated[
        bool, typer.Option("--full-speed", help="Do not throttle for running roles: live traffic becomes slower.")
    ] = False,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows kept in memory; the rest is kept in Postgres.")] = 1024,
    data: Data = None,
    json: Json = False,
) -> None:
    """Rebuild projections from the journal. Readers see the old rows until the new ones are complete."""
    here, wanted = target(data), chosen(names or [], every)
    if swap and not from_empty:
        raise ValueError(
            "--swap works with --all --from-empty only. Nothing was changed: `crm rebuild NAME` swaps by itself."
        )
    if rollback:
        return print_lines(rolling_back.roll_back(here.database_url, wanted), json)
    if drop_old:
        return print_lines(rolling_back.drop_old(here.database_url, wanted), json)
    if from_empty:
        if archive:
            why = "--from-empty reads Kafka only."
            raise ValueError(f"{why} Nothing was changed: load the archive first (`crm archive load`).")
        if not every:
            raise ValueError("--from-empty rebuilds all of Postgres: give --all with it. Nothing was changed.")
        return rebuild_all.run(here, workers, memory * MEGABYTE, swap, json)
    with progress(json) as listener:
        plan = RebuildPlan(
            *(here.kafka_bootstrap, here.database_url, wanted),
            workers=workers,
            budget=memory * MEGABYTE,
            compare=compare,
            full_speed=full_speed,
            archive=str(archive.resolve()) if archive else "",
        )
        outcome = asyncio.run(rebuilding.rebuild(plan, listener))
    if json:
        return output.print_json(outcome)
    print_outcome(outcome)


def chosen(names: list[str], every: bool) -> tuple[str, ...]:
    """Returns the projections to rebuild. Raises ValueError when none or unknown ones are named."""
    if unknown := [name for name in names if name not in PROJECTIONS]:
        raise ValueError(f"There is no projection {', '.join(unknown)}. Choose from {', '.join(PROJECTIONS)}.")
    if not names and not every:
        raise ValueError(f"Name projections or give --all. Choose from {', '.join(PROJECTIONS)}.")
    return tuple(PROJECTIONS) if every else tuple(dict.fromkeys(names))


def print_lines(lines: list[str], json: bool) -> None:
    if json:
        return output.print_json(lines)
    for line in lines or ["Nothing to do."]:
        output.say(line)


def print_outcome(outcome: RebuildResult) -> None:
    columns = ("projection", "rows", "equal", "changed", "only read", "only new", "moving")
    rows = []
    for (table, count), name in zip(outcome.projections.items(), outcome.names, strict=True):
        r = outcome.reports.get(name)
        counts = (r.equal, r.changed, r.only_here, r.only_there, r.moving) if r else ("",) * 5
        rows.append((table, f"{count:,}", *counts))
    output.print_table(columns, rows)
    differences(outcome.reports)
    for id, (number, partition, position) in outcome.unknown.items():
        typer.echo(
            f"Skipped {number:,} events of schema {id}, which this release does not know "
            f"(for example position {position} of partition {partition}): a newer release wrote them."
        )
    end = "The new rows are served; `crm rebuild NAME --rollback` serves the previous ones again."
    if outcome.waiting:
        end = f"Built: {', '.join(outcome.waiting)}. {pending_rebuilds.WAITS}"
    rate = f"{outcome.events_per_second:,} per second"
    output.say(f"{outcome.events:,} events in {outcome.seconds['total']:.1f} s, {rate}. {end}")


def differences(reports: Mapping[str, ShadowReport]) -> None:
    """Prints examples of rows that differ, with the columns that do."""
    for name, report in reports.items():
        for example in report.examples:
            what = "; ".join(f"{c}: {was!r} → {now!r}" for c, (was, now) in example.columns.items())
            typer.echo(f"  {name} {example.key} {example.kind.replace('_', ' ')} {what}".rstrip())
