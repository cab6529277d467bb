"""Metrics of the deliveries waiting in quarantine, updated every 30 seconds by the leading relay and its standbys."""

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


async def report(dsn: str) -> None:
    """Updates the metrics until it is cancelled. Opens a session for each update, as they are rare."""
    while True:
        try:
            async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                await measure(conn, time.time())
        except Exception as error:  # only metrics are missing: the relay carries on
            log.warning("quarantine metrics unavailable", error=repr(error))
        await asyncio.sleep(EVERY)


async def measure(conn: AsyncConnection, now: float) -> None:
    """Sets the gauges by risk: count, and the age of the oldest delivery in seconds. `now` is in Unix seconds."""
    query = BY_RISK.format(table=Identifier(PROJECTIONS["quarantine"].table))
    found = {risk: (count, since) for risk, count, since in await (await conn.execute(query)).fetchall()}
    for risk in RISKS:
        count, since = found.get(risk, (0, now))
        WAITING.labels(risk).set(count)
        WAITING_SECONDS.labels(risk).set(max(0.0, now - since))
