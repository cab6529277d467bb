"""Who and what waits in quarantine, as figures, every half minute: by a relay that leads or stands by."""

import asyncio
import time

import structlog
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from crm.adapters.telemetry.metrics import WAITING, WAITING_SECONDS
from projections import PROJECTIONS

EVERY = 30.0  # seconds
RISKS = ("lead", "payment")
BY_RISK = SQL("""
SELECT at_risk, count(*), extract(epoch FROM min(received_at))::float8
FROM read.{table} WHERE status = 'waiting' AND at_risk <> '' GROUP BY 1""")

log = structlog.get_logger()


async def tell(dsn: str) -> None:
    """Until cancelled. A session for each look: they are rare."""
    while True:
        try:
            async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                await look(conn, time.time())
        except Exception as error:  # figures only: the relay goes on without them
            log.warning("cannot look at the quarantine", error=repr(error))
        await asyncio.sleep(EVERY)


async def look(conn: AsyncConnection, now: float) -> None:
    """`now`: Unix seconds."""
    query = BY_RISK.format(table=Identifier(PROJECTIONS["quarantine"].table))
    found = {risk: (count, since) for risk, count, since in await (await conn.execute(query)).fetchall()}
    for risk in RISKS:
        count, since = found.get(risk, (0, now))
        WAITING.labels(risk).set(count)
        WAITING_SECONDS.labels(risk).set(max(0.0, now - since))
