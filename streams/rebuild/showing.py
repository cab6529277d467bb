"""A view goes over to a version that is built once the project role of its release moves that version's table.

So no reader is given a table that nobody moves: until then the release before goes on with the old one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import structlog
from psycopg.sql import SQL

from crm.adapters import views
from crm.adapters.views import Served
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.rebuild import tables

LOOK = 1.0  # seconds between two looks
PATIENCE = "300ms"  # that readers may wait behind the change of their view, before it is tried again
REMEMBER = """
INSERT INTO core.served (name, before_schema, before_table, held) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET at = now(), before_schema = excluded.before_schema,
before_table = excluded.before_table, held = excluded.held"""
BUILT = "SELECT name, consumer FROM core.built ORDER BY name"
MINE = "SELECT 1 FROM core.built WHERE name = %s AND consumer = %s FOR UPDATE SKIP LOCKED"
PLACES = """
SELECT consumer, partition, position, failed FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s
ORDER BY consumer, topic, partition"""
log = structlog.get_logger()


async def follow(dsn: str, projections: Iterable[Projection[Any]], topic: str = JOURNAL.name) -> None:
    """Until cancelled: lets the views of these go over, as soon as they can."""
    by_table = {projection.table: projection for projection in projections}
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    for name, table in await (await conn.execute(BUILT)).fetchall():
                        if table in by_table and not await asyncio.to_thread(go_over, dsn, by_table[table], topic):
                            log.info("its view goes over", projection=name, table=table)
                    await asyncio.sleep(LOOK)
        except psycopg.Error as error:  # readers in the way of a view; or the server's trouble
            log.debug("a view did not go over yet", error=repr(error))
            await asyncio.sleep(LOOK)


def go_over(dsn: str, projection: Projection[Any], topic: str = JOURNAL.name) -> str:
    """Why its view does not go over yet; empty when it shows this version now. Raises psycopg.Error, LockNotAvailable.

    Never before the new table holds all that readers have seen in the old one.
    """
    with tables.connected(dsn) as conn:
        before = views.served(conn, projection.name)
        if why := not_yet(conn, projection, before, topic):
            return why
        conn.execute("SET LOCAL lock_timeout = '2s'")
        if not conn.execute(MINE, [projection.name, projection.table]).fetchone():
            return "another role lets it go over"
        if why := not_yet(conn, projection, before, topic, " FOR UPDATE"):
            return why
        conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
        views.show(conn, projection.name, Served("read", projection.table), also=projection)
        conn.execute("DELETE FROM core.built WHERE name = %s", [projection.name])
        if before:
            conn.execute(REMEMBER, [projection.name, *before, False])
    return ""


def not_yet(
    conn: tables.Connection, projection: Projection[Any], before: Served | None, topic: str, lock: str = ""
) -> str:
    """With " FOR UPDATE" nobody moves either table until the end of the transaction."""
    new, old = projection.table, before.table if before else ""
    at: dict[str, dict[int, int]] = {new: {}, old: {}}
    for consumer, partition, position, failed in conn.execute(f"{PLACES}{lock}".encode(), [[new, old], topic]):
        if failed and consumer == new:
            return f"{new} stands still: {failed}"
        at[consumer][partition] = position
    left = sum(max(0, position - at[new].get(partition, -1)) for partition, position in at[old].items())
    return f"{new} is {left:,} events behind {old}" if left and new != old else ""


async def shown(dsn: str, names: Sequence[str], patience: float) -> tuple[str, ...]:
    """Waits so many seconds at most. Gives the names of those that no project role has taken over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        waiting = tuple(name for name in await asyncio.to_thread(built, dsn) if name in names)
        if not waiting or loop.time() >= end:
            return waiting
        await asyncio.sleep(0.2)


def built(dsn: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return [name for name, _ in conn.execute(BUILT)]
