"""`crm workspace create|list|change`: workspaces, each with its country and currency, and a token for a new one."""

import asyncio
from typing import Annotated

import typer

from crm.connector import HOME
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import id_of, target
from services.cli.target import workspace as workspace_of

PANEL, RANK = "Connect", 1

app = typer.Typer(no_args_is_help=True, help="Workspaces, each with its own data, country, currency and owners.")


@app.callback()
def workspace() -> None: ...


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Display name.")],
    country: Annotated[
        str, typer.Option(help="ISO 3166 code, for phone numbers without a country code.")
    ] = HOME.country,
    currency: Annotated[str, typer.Option(help="ISO 4217 code, for amounts without a currency.")] = HOME.currency,
    timezone: Annotated[str, typer.Option(help="IANA name, for working hours.")] = HOME.timezone,
    owner: Annotated[list[str], typer.Option(help="Gets new deals in turn; may be repeated.")] = [],  # noqa: B006
    workspace_id: Annotated[
        str, typer.Option("--id", help="A UUID, so that a repeated call changes nothing.", show_default="a new one")
    ] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Create a workspace and print its id and a token with all scopes. Safe to repeat with the same --id."""
    from services.stack.workspaces import open_workspace, validate

    given = id_of(workspace_id) if workspace_id else None
    values = validate(name, country, currency, timezone, owner)
    where = target(data)
    made, token = asyncio.run(open_workspace(where.kafka_bootstrap, where.database_url, values, given))
    if json:
        output.print_json({"workspace": made, "token": token})
    else:
        typer.echo(f"{made}\n{token}")
        typer.echo(f"{values.name} was created. Store the token now: it is not shown again.", err=True)


@app.command("list")
def list_(data: Data = None, json: Json = False) -> None:
    """List the workspaces and their settings."""
    from crm.engine.workspaces import workspaces

    found = asyncio.run(workspaces(target(data).database_url))
    rows = [(id, w.name, w.country, w.currency, w.timezone) for id, w in sorted(found.items(), key=lambda f: f[1].name)]
    columns = ("id", "name", "country", "currency", "timezone")
    if json:
        output.print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        output.print_table(columns, rows)
    else:
        output.say("There is no workspace yet: `crm workspace create` creates one.")


@app.command()
def change(
    name: Annotated[str | None, typer.Option(help="Display name.", show_default=False)] = None,
    country: Annotated[
        str | None, typer.Option(help="ISO 3166 code, for new phone numbers.", show_default=False)
    ] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code, for new amounts.", show_default=False)] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, for hours of rules.", show_default=False)] = None,
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Change settings, for what comes from now on. What is there stays as it is: see docs/workspace.md."""
    from services.stack.workspaces import change_settings

    where, here = target(data), workspace_of(workspace_id, data)
    given = {"name": name, "country": country, "currency": currency, "timezone": timezone}
    changed = asyncio.run(change_settings(where.kafka_bootstrap, where.database_url, here, given))
    if json:
        output.print_json(changed)
    else:
        typer.echo(f"{changed.name}: country {changed.country}, {changed.currency}, {changed.timezone}. From now on.")
