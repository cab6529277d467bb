"""`crm workspace create`: creates a workspace with its country and currency, and a token for it."""

import asyncio
from typing import Annotated

import typer

from crm.connector import HOME
from services.cli import output
from services.cli.options import Data, Json
from services.cli.target import id_of, target

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
