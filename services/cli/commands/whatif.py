"""`crm whatif`: decides a past period again with other rules and compares the result. Changes nothing live."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from crm.envelope import now
from crm.moments import Clock, first
from crm.scalars import Micros
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target
from services.cli.target import workspace as workspace_of
from services.operations.archive.progress import Advance, progress
from services.operations.whatif import chart, deal_outcomes, rules, scratch, stage_rules
from services.operations.whatif.run import simulate
from services.operations.whatif.simulation import Simulation

PANEL, RANK = "History", 3

app = typer.Typer(
    no_args_is_help=True,
    help="Try other rules on a past period: who would have got which deal, and what followed. See docs/whatif.md.",
)
NEVER = Micros(2**63 - 1)
Name = Annotated[str, typer.Option(help="The tables go to the schema whatif_<name>, replacing an earlier one.")]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="JSON file with the rules to try.")],
    since: Annotated[str, typer.Option(help="Start of the period: 30d, 2h, or a date and time (UTC).")] = "30d",
    until: Annotated[str, typer.Option(help="End of the period.", show_default="now")] = "",
    clock: Annotated[
        Clock, typer.Option(help="What the period refers to: when data was recorded, or the dates of the facts.")
    ] = Clock.RECORDED,
    top: Annotated[int, typer.Option(min=0, help="How many of the deals that would differ to print.")] = 20,
    name: Name = "trial",
    picture: Annotated[
        Path | None, typer.Option("--chart", help="File of the chart: .html, .svg, .png or .json.")
    ] = None,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Decide a past period again with other rules, print the difference and keep it in a schema of its own."""
    at, tried, schema = now(), rules.read_rules(file), scratch.schema_of(name)
    begin, end = first(since, at), first(until, at) if until else NEVER
    if begin >= end:
        raise ValueError(f"--until {until} is not later than --since {since}: the period is empty. Nothing was tried.")
    here, of, simulation = target(data), workspace_of(workspace, data), Simulation(tried, begin, end, clock)
    with ExitStack() as stack:

        def total(count: int) -> Advance:
            return stack.enter_context(progress("Deciding again", count, "events", quiet=json))

        asyncio.run(simulate(here.kafka_bootstrap, of, simulation, total))
    deals = simulation.outcome()
    owners = deal_outcomes.shares(deals)
    about = scratch.about(file.name, begin, min(end, at), clock)
    with psycopg.connect(here.database_url) as conn:
        scratch.write(conn, name, of, about, deals, owners, simulation.touched)
    acted = stage_rules.totals(tried.stage_rules or (), simulation.touched)
    if json:
        found = {"schema": schema, "owners": owners, "deals": deals, "stumbled": simulation.failed}
        output.print_json({**found, "stage_rules": acted, "touched": simulation.touched})
    else:
        print_outcome(about, deals, owners, simulation, schema, top)
        print_rules(acted, schema)
    if picture:
        chart.save(picture, about, deals, owners)
        typer.echo(f"The chart is in {picture}.", err=True)


@app.command("list")
def list_(data: Data = None, json: Json = False) -> None:
    """List the stored trials."""
    with psycopg.connect(target(data).database_url) as conn:
        found = scratch.find_trials(conn)
    if json:
        output.print_json([{"schema": schema, "tried": about} for schema, about in found])
    elif found:
        output.print_table(("schema", "tried"), found)
    else:
        typer.echo("No trial is stored.")


@app.command()
def drop(name: Annotated[str, typer.Argument(help="Name that was given with --name.")], data: Data = None) -> None:
    """Drop the tables of a trial."""
    with psycopg.connect(target(data).database_url) as conn:
        dropped = scratch.drop(conn, name)
    output.say(
        f"The trial {name} is dropped." if dropped else f"There is no trial {name}: `crm whatif list` lists them."
    )


def print_outcome(
    about: str,
    deals: list[deal_outcomes.Compared],
    owners: list[deal_outcomes.Share],
    simulation: Simulation,
    schema: str,
    top: int,
) -> None:
    differ = sorted((deal for deal in deals if deal.differs), key=lambda deal: deal.change)
    typer.echo(f"{about}: {len(deals)} deals, {len(differ)} would differ.")
    rows = [
        (o.owner or "nobody", o.deals, o.would_deals, in_words(o.touch_s))
        for o in sorted(owners, key=lambda o: o.change)
    ]
    output.print_table(("owner", "deals", "would be", "first touch, median"), rows)
    changed = [
        (f"D-{d.number}", d.owner or "nobody", d.would_owner or "nobody", d.stage, d.would_stage, d.would_why)
        for d in differ[:top]
    ]
    if changed:
        output.print_table(("deal", "owner", "would be", "stage", "would be", "because"), changed)
    if len(differ) > len(changed):
        typer.echo(f"… and {len(differ) - len(changed)} more: --top prints more of them.")
    if simulation.failed:
        typer.echo(f"{len(simulation.failed)} facts or commands could not be replayed; --json lists them.")
    output.say(f"All rows: SELECT * FROM {schema}.deal; `crm whatif drop {schema.removeprefix('whatif_')}` drops it.")
    output.say("`crm rules apply FILE` puts the rules into force.")


def print_rules(acted: list[stage_rules.RuleTotal], schema: str) -> None:
    if acted:
        titles = ("stage rule", "deals", "tasks", "messages", "webhooks", "left out")
        output.print_table(titles, [(r.rule, r.deals, r.tasks, r.messages, r.webhooks, r.left_out) for r in acted])
        output.say(f"Each deal, and why something would be left out: SELECT * FROM {schema}.stage_rule.")


def in_words(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
