"""Metrics of the outbox, updated every two seconds by the leading relay and its standbys, also while Kafka is away."""

import asyncio
import time

import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import unpack
from crm.adapters.telemetry.metrics import BACKLOG, BACKLOG_SECONDS, OUTBOX
from crm.contract.codec import decode

EVERY = 2.0  # seconds
TOTALS = "SELECT count(*), coalesce(sum((SELECT sum(n) FROM unnest(counts) AS n)), 0)::bigint FROM core.outbox"
OLDEST = "SELECT records[1] FROM core.outbox ORDER BY id LIMIT 1"

log = structlog.get_logger()


async def report(dsn: str) -> None:
    """Updates the metrics until it is cancelled. Uses its own session, as the relay's may be in a transaction."""
    while True:
        try:
            async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    await measure(conn, time.time())
                    await asyncio.sleep(EVERY)
        except Exception as error:  # only metrics are missing: the relay carries on
            log.warning("outbox metrics unavailable", error=repr(error))
            await asyncio.sleep(EVERY)


async def measure(conn: AsyncConnection, now: float) -> None:
    """Sets the gauges: rows, events, and the age in seconds of the oldest event. `now` is in Unix seconds."""
    ((rows, events),) = await (await conn.execute(TOTALS)).fetchall()
    oldest = await (await conn.execute(OLDEST)).fetchone()
    OUTBOX.set(rows)
    BACKLOG.set(events)
    BACKLOG_SECONDS.set(max(0.0, now - recorded_at(oldest[0])) if oldest else 0)


def recorded_at(records: bytes) -> float:
    """Returns when the first event of a slice was decided, in Unix seconds."""
    _, _, _, _, value = unpack(records)[0]
    return float(decode(value).meta.recorded_at) / 1_000_000
