"""`crm reparse`: reads past deliveries again with a fixed connector and corrects their cards, as events."""

from crm.connector import Connection
from crm.scalars import Id
from services.cli.options import Data, Json
from services.cli.past_deliveries import Actor, Archive, Connector, Dry, Overwrite, Since, Until, Workspace, run
from services.connectors import CONNECTORS
from services.operations.quarantine.session import OperatorSession
from services.operations.reparse.scan import Reparse

PANEL, RANK = "History", 4


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
    """Read past deliveries again with today's connector and correct the cards where its result differs."""

    async def steps(session: OperatorSession, connections: dict[Id, Connection], by: str) -> Reparse:
        return Reparse(CONNECTORS[connector], connections, session.operator.now, by, overwrite)

    run(steps, connector, since, until, workspace, dry_run, actor, archive, data, json)
