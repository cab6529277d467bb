"""`crm fill`: a custom field that was defined today gets its values out of past deliveries, as events."""

from typing import Annotated

import typer

from crm.connector import Connection
from crm.scalars import Id
from services.cli.options import Data, Json
from services.cli.reread import Actor, Archive, Connector, Dry, Overwrite, Since, Until, Workspace, run
from services.operations.quarantine.desk import Desk
from services.operations.reparse.scan import Fill

ENTITIES = ("deal", "contact")
DEFINED = "SELECT 1 FROM read.field WHERE workspace = ANY (%s) AND entity = %s AND key = %s AND NOT retired"


def fill(
    key: Annotated[str, typer.Argument(help="The custom field, as it was defined.")],
    path: Annotated[str, typer.Option("--from", help="Where its value is in the raw bytes: data.order.id, ?campaign.")],
    connector: Connector,
    since: Since,
    of: Annotated[str, typer.Option(help="deal or contact: whose field it is.")] = "deal",
    until: Until = "",
    workspace: Workspace = "",
    dry_run: Dry = False,
    overwrite: Overwrite = False,
    actor: Actor = "",
    archive: Archive = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Fill a custom field that was defined today from the raw bytes of past deliveries."""
    if of not in ENTITIES:
        raise ValueError(f"--of takes {' or '.join(ENTITIES)}; it was given {of!r}.")

    async def steps(at: Desk, connections: dict[Id, Connection], by: str) -> Fill:
        owners = sorted({connection.workspace for connection in connections.values()})
        if not await (await at.conn.execute(DEFINED, [owners, of, key])).fetchone():
            raise ValueError(f"No {of} field {key!r} is defined. Nothing was changed. Define it first: fieldDefine.")
        return Fill(of, key, path, at.by.now, by, overwrite)

    run(steps, connector, since, until, workspace, dry_run, actor, archive, data, json)
