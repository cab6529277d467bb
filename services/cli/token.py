"""`crm token create`: a key to a workspace."""

import asyncio
from typing import Annotated

import typer

from services.cli import show
from services.cli.options import Data, Json, Workspace
from services.cli.target import target, workspace
from services.stack.access import SCOPES, create_token

app = typer.Typer(no_args_is_help=True, help="Keys to a workspace.")


@app.callback()
def token() -> None: ...


@app.command()
def create(
    name: Annotated[str, typer.Option(help="For people.")] = "command line",
    scope: Annotated[list[str], typer.Option(help=f"Of {', '.join(SCOPES)}.")] = ["read", "write"],  # noqa: B006
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    if unknown := set(scope) - set(SCOPES):
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}.")
    where, owner = target(data), workspace(workspace_id, data)
    made = asyncio.run(create_token(where.kafka_bootstrap, owner, name, scope))
    if json:
        show.as_json({"token": made.text, "id": made.id, "workspace": owner, "scopes": scope})
    else:
        typer.echo(made.text)
        typer.echo("It is shown this once; only its hash is kept. Send it as `Authorization: Bearer TOKEN`.", err=True)
