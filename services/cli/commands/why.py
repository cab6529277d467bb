"""`crm why`: how a field came to its value, down to the bytes that somebody sent us."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from crm.adapters.postgres import history
from crm.engine.provenance import Link, chain
from crm.projection import Projection
from crm.scalars import Id
from crm.why import Unknown, changes
from services.cli import output as show
from services.cli.commands.archive import quieten
from services.cli.options import Data, Json, Workspace
from services.cli.subject import key_of, projection_of, reading
from services.cli.target import archive_of, target, workspace


def why(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="deal, contact, payment … : any read model.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id; of a deal also its number, D-7.")],
    field: Annotated[str, typer.Argument(help="A column: stage, owner, phones …")],
    all: Annotated[bool, typer.Option("--all", help="Each change of it, the newest first, not only the last.")] = False,
    archive: Annotated[
        Path | None,
        typer.Option(help="Has deliveries that Kafka no longer has.", show_default="CRM_ARCHIVE, or beside the data"),
    ] = None,
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Show why a field has its value: the event, who or what led to it, and the delivery behind it."""
    quieten()
    projection, here, owner = projection_of(kind), target(data), workspace(workspace_id, data)
    places = here.database_url, here.kafka_bootstrap, archive or archive_of(data)
    links = asyncio.run(links_of(*places, projection, owner, id, field, all))
    if json:
        show.as_json(links)
        return
    for link in links:
        for line in link.lines():
            typer.echo(line)


async def links_of(
    dsn: str,
    bootstrap: str,
    archive: Path | None,
    projection: Projection[Any],
    owner: Id,
    id: str,
    field: str,
    all: bool,
) -> list[Link]:
    """The newest first. Raises Unknown when the row never was."""
    async with reading(dsn) as conn:
        key = await key_of(conn, projection, owner, id)
        found = changes(projection, await history.of_row(conn, projection, owner, key), field)
    if not found:
        raise Unknown(f"There is no {projection.name} {id} in this workspace, and there never was.")
    wanted = found[::-1] if all else found[-1:]
    return await chain(bootstrap, archive, field, wanted)
