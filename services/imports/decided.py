"""How far what was sent is: whether facts are decided, which went to quarantine, and whether the cards show them."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.adapters.postgres.history import CONSUMER
from crm.adapters.postgres.state import text_array
from crm.scalars import Id
from crm.state.entities import Quarantined

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
