"""`crm backfill`: sets a newly defined custom field from past deliveries, as events."""

from typing import Annotated

import typer

from crm.connector import Connection
from crm.scalars import Id
from services.cli.options import Data, Json
from services.cli.past_deliveries import Actor, Archive, Connector, Dry, Overwrite, Since, Until, Workspace, run
from services.operations.quarantine.session import OperatorSession
from services.operations.reparse.scan import Fill

PANEL, RANK = "History", 5

ENTITIES = ("deal", "contact")
DEFINED = "SELECT 1 FROM read.field WHERE workspace = ANY (%s) AND entity = %s AND key = %s AND NOT retired"


def backfill(
    key: Annotated[str, typer.Argument(help="Key of the custom field.")],
    path: Annotated[
        str,
        typer.Option("--from", help="Path of the value in the raw delivery: data.order.id, or ?campaign in the URL."),
    ],
    connector: Connector,
    since: Since,
    of: Annotated[str, typer.Option(help="Whose field it is: deal or contact.")] = "deal",
    until: Until = "",
    workspace: Workspace = "",
    dry_run: Dry = False,
    overwrite: Overwrite = False,
    actor: Actor = "",
    archive: Archive = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Set a newly defined custom field from the raw bytes of past deliveries."""
    if of not in ENTITIES:
        raise ValueError(f"--of takes {' or '.join(ENTITIES)}, not {of!r}.")

    async def steps(session: OperatorSession, connections: dict[Id, Connection], by: str) -> Fill:
        owners = sorted({connection.workspace for connection in connections.values()})
        if not await (await session.conn.execute(DEFINED, [owners, of, key])).fetchone():
            raise ValueError(
                f"No {of} field {key!r} is defined. Nothing was changed. Define it first with the mutation fieldDefine."
            )
        return Fill(of, key, path, session.operator.now, by, overwrite)

    run(steps, connector, since, until, workspace, dry_run, actor, archive, data, json)
