"""`crm reparse`: a mended connector reads past deliveries again; what they led to is put right, as events."""

import asyncio
import getpass

from services.cli.options import Data, Json
from services.cli.reread import Actor, Connector, Dry, Overwrite, Since, Until, Workspace, chosen, go, period
from services.cli.target import target
from services.connectors import CONNECTORS
from services.quarantine.desk import desk
from services.reread.scan import Reparse


def reparse(
    connector: Connector,
    since: Since,
    until: Until = "",
    workspace: Workspace = "",
    dry_run: Dry = False,
    overwrite: Overwrite = False,
    actor: Actor = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Let today's connector read past deliveries again; where it understands something else, put the cards right."""
    known, here, by = CONNECTORS.get(connector), target(data), actor or getpass.getuser()
    if known is None:
        raise ValueError(f"There is no connector {connector!r}; there are {', '.join(CONNECTORS)}.")
    span = period(since, until)

    async def run() -> None:
        async with desk(here.kafka_bootstrap, here.database_url, by) as at:
            connections = chosen(at.by.connections.values(), connector, workspace)
            steps = Reparse(known, connections, at.by.now, by, overwrite)
            await go(at.conn, here, connections, span, steps, dry_run, json)

    asyncio.run(run())
