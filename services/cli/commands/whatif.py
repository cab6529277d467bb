"""`crm whatif`: other rules over a past period, beside what really happened. Nothing live is touched."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from crm.envelope import now
from crm.moments import first
from crm.scalars import Micros
from services.cli import output as show
from services.cli.options import Data, Json, Workspace
from services.cli.target import target
from services.cli.target import workspace as workspace_of
from services.operations.archive.progress import Advance, progress
from services.operations.quarantine.showing import iso
from services.operations.whatif import chart, course, rules, scratch
from services.operations.whatif.run import run as run_trial
from services.operations.whatif.trial import Trial

app = typer.Typer(
    no_args_is_help=True, help="Other rules over a past period: who would have got what. See docs/whatif.md."
)
NEVER = Micros(2**63 - 1)
Name = Annotated[str, typer.Option(help="Its tables go into the schema whatif_<name>; an earlier one gives way.")]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The rules to try, as JSON.")],
    since: Annotated[str, typer.Option(help="The period begins: 30d, 2h, or a date and time (UTC).")] = "30d",
    until: Annotated[str, typer.Option(help="It ends here.", show_default="now")] = "",
    name: Name = "trial",
    picture: Annotated[Path | None, typer.Option("--chart", help="A file: .html, .svg, .png or .json.")] = None,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Decide a past period again by other rules; print the difference, keep it in a schema of its own."""
    at, tried, schema = now(), rules.read(file), scratch.schema_of(name)
    begin, end = first(since, at), first(until, at) if until else NEVER
    if begin >= end:
        raise ValueError(f"--until {until} is not after --since {since}: this period is empty. Nothing was tried.")
    here, trial = target(data), Trial(tried, begin, end)
    with ExitStack() as stack:

        def total(count: int) -> Advance:
            return stack.enter_context(progress("Deciding again", count, "events", quiet=json))

        asyncio.run(run_trial(here.kafka_bootstrap, workspace_of(workspace, data), trial, total))
    deals = trial.outcome()
    owners = course.shares(deals)
    about = f"{file.name}, {iso(begin)} to {iso(min(end, at))}"
    with psycopg.connect(here.database_url) as conn:
        scratch.write(conn, name, about, deals, owners)
    if json:
        show.as_json({"schema": schema, "owners": owners, "deals": deals, "stumbled": trial.stumbled})
    else:
        tell(about, deals, owners, trial, schema)
    if picture:
        chart.save(picture, about, deals, owners)
        typer.echo(f"The chart is in {picture}.", err=True)


@app.command("list")
def list_(data: Data = None, json: Json = False) -> None:
    """List the trials that are kept."""
    with psycopg.connect(target(data).database_url) as conn:
        found = scratch.listed(conn)
    if json:
        show.as_json([{"schema": schema, "tried": about} for schema, about in found])
    elif found:
        show.table(("schema", "tried"), found)
    else:
        typer.echo("No trial is kept.")


@app.command()
def drop(name: Annotated[str, typer.Argument(help="As it was given with --name.")], data: Data = None) -> None:
    """Drop the tables of a trial."""
    with psycopg.connect(target(data).database_url) as conn:
        there = scratch.drop(conn, name)
    typer.echo(f"The trial {name} is dropped." if there else f"There is no trial {name}: `crm whatif list` shows them.")


def tell(about: str, deals: list[course.Compared], owners: list[course.Share], trial: Trial, schema: str) -> None:
    differ = [deal for deal in deals if deal.differs]
    typer.echo(f"{about}: {len(deals)} deals, {len(differ)} would differ.")
    rows = [(o.owner or "nobody", o.deals, o.would_deals, in_words(o.touch_s)) for o in owners]
    show.table(("owner", "deals", "would be", "first touch, median"), rows)
    changed = [
        (f"D-{d.number}", d.owner or "nobody", d.would_owner or "nobody", d.stage, d.would_stage, d.would_why)
        for d in differ[:20]
    ]
    if changed:
        show.table(("deal", "owner", "would be", "stage", "would be", "because"), changed)
    if len(differ) > len(changed):
        typer.echo(f"… and {len(differ) - len(changed)} more.")
    if trial.stumbled:
        typer.echo(f"{len(trial.stumbled)} facts or commands could not be taken over; --json names them.")
    typer.echo(f"All of it: SELECT * FROM {schema}.deal; `crm whatif drop {schema.removeprefix('whatif_')}` drops it.")


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
