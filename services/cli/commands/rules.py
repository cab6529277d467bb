"""`crm rules show|apply`: the assignment rules and stages in force, as the file that `crm whatif` tries."""

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
    no_args_is_help=True, help="Who gets which new deal, and the stages of the pipeline. See docs/workspace.md."
)


@app.command()
def show(workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """Print the rules and stages in force, as a file for `crm whatif run` and `crm rules apply`."""
    from services.operations import rules_in_force

    where = target(data)
    found = asyncio.run(rules_in_force.in_force(where.database_url, workspace_of(workspace, data)))
    output.print_json(rules_in_force.as_file(found))
    if not json:
        rules = f"These rules are version {found.rules_version}." if found.rules else "There are no rules yet."
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
