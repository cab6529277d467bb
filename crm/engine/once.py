"""One command at a time, however many replicas have received it: a lock of the database, and whether it was run."""

import contextlib

import psycopg
from psycopg import AsyncConnection

from crm.scalars import Id

TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 7068006))"
RELEASE = "SELECT pg_advisory_unlock(hashtextextended(%s, 7068006))"
RUN = "SELECT FROM core.fact_seen WHERE fact_id = %s::uuid"


async def taken(conn: AsyncConnection, command: Id) -> bool:
    """Returns whether the lock is ours now. The session holds it, outside of any transaction."""
    row = await (await conn.execute(TAKE, [command])).fetchone()
    return bool(row and row[0])


async def was_run(conn: AsyncConnection, command: Id) -> bool:
    return await (await conn.execute(RUN, [command])).fetchone() is not None


async def release(conn: AsyncConnection, command: Id) -> None:
    """Gives the lock back; closes a session that does not answer, which gives it back as well."""
    try:
        await conn.execute(RELEASE, [command])
    except psycopg.Error:
        with contextlib.suppress(psycopg.Error):
            await conn.close()
