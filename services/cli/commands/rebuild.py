"""`crm rebuild`: a projection's rows made anew from the journal, beside those that are read, then in their place."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from projections import PROJECTIONS
from services.cli import output as show
from services.cli import rebuild_all as whole
from services.cli.options import Data, Json
from services.cli.rebuild_progress import progress
from services.cli.target import target
from services.stack import behind
from streams.rebuild import rebuild as rebuilding
from streams.rebuild import rollback as history
from streams.rebuild.compare.shadow import Report
from streams.rebuild.rebuild import Outcome, Plan

MEGABYTE = 1 << 20


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PROJECTIONS)}.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    from_empty: Annotated[
        bool, typer.Option("--from-empty", help="With --all: a new database from Kafka alone, checksums of both.")
    ] = False,
    swap: Annotated[bool, typer.Option("--swap", help="With --from-empty: it takes the old one's place.")] = False,
    rollback: Annotated[bool, typer.Option(help="Go back to what was served before the last change.")] = False,
    drop_old: Annotated[bool, typer.Option(help="Drop the tables that earlier changes left.")] = False,
    archive: Annotated[
        Path | None, typer.Option(help="Old history out of this archive, only what came later out of Kafka.")
    ] = None,
    compare: Annotated[bool, typer.Option(help="Say which rows the new table has otherwise.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes.", show_default="2, or 1 beside roles that run")] = 0,
    full_speed: Annotated[
        bool, typer.Option("--full-speed", help="Do not give way to roles that run: live traffic waits.")
    ] = False,
    memory: Annotated[int, typer.Option(min=1, help="MB of rows in memory; the rest waits in Postgres.")] = 1024,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a projection's rows anew from the journal. Readers see the old rows until the new ones are complete."""
    here, wanted = target(data), chosen(names or [], every)
    if swap and not from_empty:
        raise ValueError(
            "--swap goes with --all --from-empty. Nothing was changed: `crm rebuild NAME` swaps by itself."
        )
    if rollback:
        return tell_lines(history.roll_back(here.database_url, wanted), json)
    if drop_old:
        return tell_lines(history.drop_old(here.database_url, wanted), json)
    if from_empty:
        if archive:
            raise ValueError("--from-empty reads Kafka alone. Nothing was changed: load the archive first.")
        if not every:
            raise ValueError("--from-empty makes all of Postgres anew: give --all with it. Nothing was changed.")
        return whole.run(here, workers, memory * MEGABYTE, swap, json)
    with progress(json) as told:
        plan = Plan(
            *(here.kafka_bootstrap, here.database_url, wanted),
            workers=workers,
            budget=memory * MEGABYTE,
            compare=compare,
            full_speed=full_speed,
            archive=str(archive.resolve()) if archive else "",
        )
        outcome = asyncio.run(rebuilding.rebuild(plan, told))
    if json:
        return show.as_json(outcome)
    tell(outcome)


def chosen(names: list[str], every: bool) -> tuple[str, ...]:
    """Raises ValueError when none or unknown ones are named."""
    if unknown := [name for name in names if name not in PROJECTIONS]:
        raise ValueError(f"There is no projection {', '.join(unknown)}. There are: {', '.join(PROJECTIONS)}.")
    if not names and not every:
        raise ValueError(f"Name projections, or give --all. There are: {', '.join(PROJECTIONS)}.")
    return tuple(PROJECTIONS) if every else tuple(dict.fromkeys(names))


def tell_lines(lines: list[str], json: bool) -> None:
    if json:
        return show.as_json(lines)
    for line in lines or ["There is nothing to do."]:
        typer.echo(line)


def tell(outcome: Outcome) -> None:
    columns = ("projection", "rows", "equal", "changed", "only read", "only new", "moving")
    rows = []
    for (table, count), name in zip(outcome.projections.items(), outcome.names, strict=True):
        report = outcome.reports.get(name)
        told = (
            (report.equal, report.changed, report.only_here, report.only_there, report.moving) if report else ("",) * 5
        )
        rows.append((table, f"{count:,}", *told))
    show.table(columns, rows)
    differences(outcome.reports)
    for id, (number, partition, position) in outcome.unknown.items():
        typer.echo(
            f"{number:,} events of schema {id}, which this release does not know, were passed over "
            f"(one is position {position} of partition {partition}): a newer release wrote them."
        )
    end = "The new rows are served; `crm rebuild NAME --rollback` goes back."
    if outcome.waiting:
        end = f"Built: {', '.join(outcome.waiting)}. {behind.WAITS}"
    typer.echo(
        f"{outcome.events:,} events in {outcome.seconds['total']:.1f} s, {outcome.events_per_second:,} a second. {end}"
    )


def differences(reports: Mapping[str, Report]) -> None:
    """Some rows that are not the same, and in what."""
    for name, report in reports.items():
        for example in report.examples:
            what = "; ".join(f"{c}: {was!r} → {now!r}" for c, (was, now) in example.columns.items())
            typer.echo(f"  {name} {example.key} {example.kind.replace('_', ' ')} {what}".rstrip())
