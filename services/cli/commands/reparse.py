"""`crm reparse`: a mended connector reads past deliveries again; what they led to is put right, as events."""

from crm.connector import Connection
from crm.scalars import Id
from services.cli.options import Data, Json
from services.cli.reread import Actor, Archive, Connector, Dry, Overwrite, Since, Until, Workspace, run
from services.connectors import CONNECTORS
from services.operations.quarantine.desk import Desk
from services.operations.reparse.scan import Reparse


def reparse(
    connector: Connector,
    since: Since,
    until: Until = "",
    workspace: Workspace = "",
    dry_run: Dry = False,
    overwrite: Overwrite = False,
    actor: Actor = "",
    archive: Archive = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let today's connector read past deliveries again; where it understands something else, put the cards right."""

    async def steps(at: Desk, connections: dict[Id, Connection], by: str) -> Reparse:
        return Reparse(CONNECTORS[connector], connections, at.by.now, by, overwrite)

    run(steps, connector, since, until, workspace, dry_run, actor, archive, data, json)
