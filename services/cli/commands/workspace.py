"""`crm workspace create`: a workspace with its country and currency, and a token for it."""

import asyncio
from typing import Annotated

import typer

from services.cli import output as show
from services.cli.options import Data, Json
from services.cli.target import id_of, target

app = typer.Typer(no_args_is_help=True, help="Workspaces: each with its own cards, country, currency and owners.")


@app.callback()
def workspace() -> None: ...


@app.command()
def create(
    name: Annotated[str, typer.Option(help="For people.")],
    country: Annotated[str, typer.Option(help="ISO 3166: how numbers without a country code are read.")] = "UA",
    currency: Annotated[str, typer.Option(help="ISO 4217: of a sum that names none.")] = "UAH",
    timezone: Annotated[str, typer.Option(help="IANA name: when its working hours are.")] = "Europe/Kyiv",
    owner: Annotated[list[str], typer.Option(help="Who gets new deals, in turn; several: once each.")] = [],  # noqa: B006
    workspace_id: Annotated[
        str, typer.Option("--id", help="A UUID; the same again changes nothing.", show_default="a new one")
    ] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a workspace, and print its id and a token with all scopes. Safe to repeat under one --id."""
    from services.stack.workspaces import checked, open_workspace

    given = id_of(workspace_id) if workspace_id else None
    values = checked(name, country, currency, timezone, owner)
    where = target(data)
    made, token = asyncio.run(open_workspace(where.kafka_bootstrap, where.database_url, values, given))
    if json:
        show.as_json({"workspace": made, "token": token})
    else:
        typer.echo(f"{made}\n{token}")
        text = f"{values.name} is there. The token has all scopes and is shown this once; only its hash is kept."
        typer.echo(text, err=True)
