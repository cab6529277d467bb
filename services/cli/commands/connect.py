"""`crm connect`: activates an integration and prints the address to give the vendor."""

import asyncio
from typing import Annotated

import typer

from services.cli import output as show
from services.cli.options import Data, Json, Workspace
from services.cli.target import id_of, target, workspace
from services.stack.access import UNSIGNED, declare_connection

CONNECTORS = ("form", "monobank", "monobank-personal", "liqpay", "binotel", "telegram", "api")


def connect(
    connector: Annotated[str, typer.Argument(help=f"One of {', '.join(CONNECTORS)}.")],
    secret: Annotated[str, typer.Option(help="What the vendor signs with.", envvar="CRM_SECRET")] = "",
    name: Annotated[str, typer.Option(help="For people.")] = "",
    setting: Annotated[list[str], typer.Option(help="KEY=VALUE, as the connector needs.")] = [],  # noqa: B006
    connection: Annotated[str, typer.Option(help="Change this connection instead of making one.")] = "",
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Activate an integration. Prints the address to give the vendor."""
    if connector not in CONNECTORS:
        raise ValueError(
            f"There is no connector {connector!r}; there are {', '.join(CONNECTORS)}. Nothing was changed."
        )
    if not secret and connector not in UNSIGNED:
        raise ValueError(f"{connector} needs --secret: without one its address stays off. Nothing was changed.")
    where, owner = target(data), workspace(workspace_id, data)
    settings = dict(pair(text) for text in setting)
    given = id_of(connection) if connection else None
    made = asyncio.run(
        declare_connection(where.kafka_bootstrap, owner, connector, name or connector, secret, settings, given)
    )
    url = f"{where.intake_url}/facts" if connector == "api" else f"{where.intake_url}/in/{made}"
    if json:
        show.as_json({"connection": made, "connector": connector, "workspace": owner, "url": url})
    else:
        typer.echo(f"{connector} is connected ({made}). Give the vendor this address:\n{url}")


def pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not key or not sign:
        raise ValueError(f"--setting takes KEY=VALUE; it was given {text!r}. Nothing was changed.")
    return key, value
