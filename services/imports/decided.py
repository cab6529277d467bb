"""How far what was sent is: whether facts are decided, which went to quarantine, and whether the cards show them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.adapters.postgres.history import CONSUMER
from crm.adapters.postgres.state import text_array
from crm.imports import Status
from crm.scalars import Id
from crm.state.entities import Quarantined

LOOK_SECONDS = 0.02
AHEAD_EVENTS = 1_000  # that are decided and not in the cards yet: what comes in live waits behind these too
SAY_SECONDS = 10.0  # after which a status says what is waited for
FOR_DECIDE = "{} rows are stored and wait for the role decide."
FOR_PROJECT = "{} events are decided and wait for the role project."
SEEN = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"
BAD = "SELECT key FROM core.state WHERE workspace = %s AND key = ANY (%s::text[])"
UNSEEN = """
SELECT coalesce(sum(h.next - 1 - coalesce(c.position, -1)), 0) FROM core.journal_head AS h
LEFT JOIN core.checkpoint AS c ON c.consumer = %s AND c.partition = h.partition
WHERE h.next - 1 > coalesce(c.position, -1)"""


async def undecided(conn: AsyncConnection, ids: Sequence[Id]) -> int:
    ((seen,),) = await (await conn.execute(SEEN, [text_array(ids)])).fetchall()
    return len(ids) - int(seen)


async def quarantined(conn: AsyncConnection, workspace: Id, ids: Sequence[Id]) -> set[Id]:
    begin = f"{Quarantined.__name__}/"
    rows = await (await conn.execute(BAD, [workspace, text_array([begin + id for id in ids])])).fetchall()
    return {Id(key.removeprefix(begin)) for (key,) in rows}


async def unprojected(conn: AsyncConnection[Any]) -> int:
    """Returns how many events are decided and not in the read models yet, of all workspaces."""
    ((events,),) = await (await conn.execute(UNSEEN, [CONSUMER])).fetchall()
    return int(events)


async def wait_until(
    left: Callable[[], Awaitable[int]],
    most: int,
    why: str,
    status: Status,
    report: Callable[[], Awaitable[None]],
    is_over: Callable[[], bool],
) -> bool:
    """Waits until no more than `most` is left, and says `why` in the status when that takes long. Returns False when it
    is over before."""
    since = time.monotonic()
    while (count := await left()) > most:
        if time.monotonic() - since > SAY_SECONDS:
            status.message = why.format(f"{count:,}")
            await report()
            since = time.monotonic()
        if is_over():
            return False
        await asyncio.sleep(LOOK_SECONDS)
    status.message = ""
    return True
