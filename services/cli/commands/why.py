"""`crm why`: traces a field's value back to the bytes that were received."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from crm.adapters.postgres import history
from crm.engine.provenance import Link, chain
from crm.projection import Projection
from crm.scalars import Id
from crm.why import Unknown, changes
from services.cli import output
from services.cli.commands.archive import silence_aiokafka
from services.cli.options import Data, Json, Workspace
from services.cli.row_lookup import key_of, projection_of, read_only_connection
from services.cli.target import archive_of, target, workspace

PANEL, RANK = "Look", 2


def why(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Any read model: deal, contact, payment …")],
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the row, or number of a deal (D-7).")],
    field: Annotated[str, typer.Argument(help="Column: stage, owner, phones …")],
    all: Annotated[bool, typer.Option("--all", help="Show every change of the field, newest first.")] = False,
    archive: Annotated[
        Path | None,
        typer.Option(help="Archive with older records than Kafka's.", show_default="$CRM_ARCHIVE or DATA/archive"),
    ] = None,
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Show where a field's value came from: the event, who or what caused it, and the original delivery."""
    silence_aiokafka()
    projection, here, owner = projection_of(kind), target(data), workspace(workspace_id, data)
    sources = here.database_url, here.kafka_bootstrap, archive or archive_of(data)
    links = asyncio.run(links_of(*sources, projection, owner, id, field, all))
    if json:
        output.print_json(links)
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
    """Returns the links, newest change first. Raises Unknown when the row never existed."""
    async with read_only_connection(dsn) as conn:
        key = await key_of(conn, projection, owner, id)
        found = changes(projection, await history.of_row(conn, projection, owner, key), field)
    if not found:
        raise Unknown(f"There is no {projection.name} {id} in this workspace and there never was one.")
    wanted = found[::-1] if all else found[-1:]
    return await chain(bootstrap, archive, field, wanted)
