"""`crm owner list|add|change|retire`: the salespeople of a workspace."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target
from services.cli.target import workspace as workspace_of

PANEL, RANK = "Connect", 6

app = typer.Typer(no_args_is_help=True, help="The salespeople of a workspace. See docs/workspace.md.")
Key = Annotated[str, typer.Argument(help="What deals, tasks and assignment rules name as owner.")]
NAME = typer.Option(help="Display name.", show_default=False)
EMAIL = typer.Option(help="E-mail address.", show_default=False)
PHONE = typer.Option(help="Phone number, in any format.", show_default=False)
EXTENSION = typer.Option(help="Internal number in the telephone system.", show_default=False)


@app.command()
def add(
    key: Key,
    name: Annotated[str, NAME] = "",
    email: Annotated[str, EMAIL] = "",
    phone: Annotated[str, PHONE] = "",
    extension: Annotated[str, EXTENSION] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Add a salesperson, or bring back a retired one."""
    given = {"key": key, "name": name, "email": email, "phone": phone, "extension": extension}
    run("owner_add", given, workspace, data, json, f"{name or key} is an owner. Deals can be given to {key!r}.")


@app.command()
def change(
    key: Key,
    name: Annotated[str | None, NAME] = None,
    email: Annotated[str | None, EMAIL] = None,
    phone: Annotated[str | None, PHONE] = None,
    extension: Annotated[str | None, EXTENSION] = None,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a salesperson. What is not given stays as it is."""
    given = {"key": key, "name": name, "email": email, "phone": phone, "extension": extension}
    run("owner_change", given, workspace, data, json, f"{key} was changed.")


@app.command()
def retire(
    key: Key,
    why: Annotated[str, typer.Option(help="Why; shown to people.")] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Retire a salesperson: nothing new goes to them. Their deals stay until somebody else gets them."""
    run("owner_retire", {"key": key, "why": why}, workspace, data, json, f"{key} is retired.")


@app.command("list")
def list_(workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """List the salespeople, the active ones first."""
    from services.operations import owners

    found = asyncio.run(owners.owners_of(target(data).database_url, workspace_of(workspace, data)))
    if json:
        output.print_json(found)
    elif found:
        columns = ("key", "name", "email", "phone", "extension", "active")
        rows = [(o.key, o.name, o.email, o.phone, o.extension, "yes" if o.active else "retired") for o in found]
        output.print_table(columns, rows)
    else:
        output.say("No owners were added yet, so any text can be one: `crm owner add KEY` adds the first.")


def run(name: str, given: Mapping[str, object], workspace: str, data: Data, json: bool, done: str) -> None:
    from services.operations import owners

    where, here = target(data), workspace_of(workspace, data)
    owner = asyncio.run(owners.carry_out_one(where.database_url, here, name, given))
    if json:
        output.print_json(owner)
    else:
        typer.echo(done)
