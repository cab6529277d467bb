"""What waits in the outbox, told every two seconds: by a relay that leads or stands by, also while Kafka is away."""

import asyncio
import time

import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import unpack
from crm.adapters.telemetry.metrics import BACKLOG, BACKLOG_SECONDS, OUTBOX
from crm.contract.codec import decode

EVERY = 2.0  # seconds
WAITING = "SELECT count(*), coalesce(sum((SELECT sum(n) FROM unnest(counts) AS n)), 0)::bigint FROM core.outbox"
OLDEST = "SELECT records[1] FROM core.outbox ORDER BY id LIMIT 1"

log = structlog.get_logger()


async def tell(dsn: str) -> None:
    """Until cancelled. A session of its own: the relay's may be in the middle of something."""
    while True:
        try:
            async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    await look(conn, time.time())
                    await asyncio.sleep(EVERY)
        except Exception as error:  # figures only: the relay goes on without them
            log.warning("cannot look at the outbox", error=repr(error))
            await asyncio.sleep(EVERY)


async def look(conn: AsyncConnection, now: float) -> None:
    """`now`: Unix seconds."""
    ((rows, events),) = await (await conn.execute(WAITING)).fetchall()
    oldest = await (await conn.execute(OLDEST)).fetchone()
    OUTBOX.set(rows)
    BACKLOG.set(events)
    BACKLOG_SECONDS.set(max(0.0, now - recorded_at(oldest[0])) if oldest else 0)


def recorded_at(records: bytes) -> float:
    """When the first event of a slice was decided, Unix seconds."""
    _, _, _, _, value = unpack(records)[0]
    return float(decode(value).meta.recorded_at) / 1_000_000
