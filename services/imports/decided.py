"""Whether facts have been decided, and which of them went to quarantine: asked of the state that decide leaves."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from crm.scalars import Id
from crm.state.entities import Quarantined

SEEN = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"
BAD = "SELECT key FROM core.state WHERE workspace = %s AND key = ANY (%s)"


async def undecided(conn: AsyncConnection, ids: Sequence[Id]) -> int:
    ((seen,),) = await (await conn.execute(SEEN, [list(ids)])).fetchall()
    return len(ids) - int(seen)


async def quarantined(conn: AsyncConnection, workspace: Id, ids: Sequence[Id]) -> set[Id]:
    begin = f"{Quarantined.__name__}/"
    rows = await (await conn.execute(BAD, [workspace, [begin + id for id in ids]])).fetchall()
    return {Id(key.removeprefix(begin)) for (key,) in rows}
