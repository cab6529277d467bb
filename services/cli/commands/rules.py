"""`crm rules`: the rules and stages in force, as the file that `crm whatif` tries; stage rules on and off."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target
from services.cli.target import workspace as workspace_of
from services.operations.whatif.rules import read_rules

PANEL, RANK = "Connect", 5
NOTHING = "Nothing was changed."

app = typer.Typer(
    no_args_is_help=True,
    help="Who gets which new deal, the stages, and what happens when a deal reaches one. See docs/rules.md.",
)


@app.command()
def show(workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """Print the rules and stages in force, as a file for `crm whatif run` and `crm rules apply`."""
    from services.operations import rules_in_force

    where = target(data)
    found = asyncio.run(rules_in_force.in_force(where.database_url, workspace_of(workspace, data)))
    output.print_json(rules_in_force.as_file(found))
    if not json:
        rules = (
            f"These rules are version {found.rules_version}." if found.rules else "There are no assignment rules yet."
        )
        text = f"{rules} Try others with `crm whatif run FILE`; `crm rules apply FILE` puts them into force."
        output.say(text, err=True)


@app.command()
def apply(
    file: Annotated[
        Path, typer.Argument(help="JSON file, as `crm rules show` prints it and `crm whatif run` takes it.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and show what would change.")] = False,
    expected_version: Annotated[
        int | None, typer.Option(help="Refuse when the rules in force have another version.", show_default="any")
    ] = None,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Put rules and stages into force, all of the file or nothing. Deals that have an owner keep it."""
    from services.operations import rules_in_force

    where, rules, here = target(data), read_rules(file, NOTHING), workspace_of(workspace, data)
    actor = getpass.getuser()
    done = asyncio.run(rules_in_force.apply(where.database_url, here, rules, actor, expected_version, dry_run))
    lines, version = rules_in_force.difference(done), done.after.rules_version
    if json:
        output.print_json({"version": version, "changed": done.changed, "dry_run": dry_run, "difference": lines})
        return
    typer.echo("\n".join(lines) if lines else f"All of it is in force already, rules version {version}. {NOTHING}")
    if lines:
        output.say(
            f"{NOTHING} Without --dry-run this comes into force." if dry_run else "In force from now on.", err=True
        )


@app.command("list")
def list_(workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """List the stage rules: what happens when a deal reaches a stage."""
    from services.operations import rules_in_force, stage_rules

    where = target(data)
    found = stage_rules.by_name(asyncio.run(rules_in_force.in_force(where.database_url, workspace_of(workspace, data))))
    if json:
        output.print_json(found)
    elif found:
        output.print_table(
            ("rule", "version", "acts on", "on"),
            [(rule.name, rule.version, stage_rules.in_words(rule), "yes" if rule.enabled else "no") for rule in found],
        )
    else:
        typer.echo("There are no stage rules. `crm rules apply FILE` sets some: see docs/rules.md.")


Name = Annotated[str, typer.Argument(help="Name of the stage rule.")]


@app.command()
def on(name: Name, workspace: Workspace = "", data: Data = None) -> None:
    """Switch a stage rule on. What deals reached meanwhile is not made up for."""
    switch(name, True, workspace, data)


@app.command()
def off(name: Name, workspace: Workspace = "", data: Data = None) -> None:
    """Switch a stage rule off. Messages that it queued are sent."""
    switch(name, False, workspace, data)


def switch(name: str, enabled: bool, workspace: str, data: Path | None) -> None:
    from services.operations import rules_in_force

    where, here = target(data), workspace_of(workspace, data)
    asyncio.run(rules_in_force.switch(where.database_url, here, name, enabled, getpass.getuser()))
    output.say(f"The stage rule {name} is {'on' if enabled else 'off'} from now on.")
