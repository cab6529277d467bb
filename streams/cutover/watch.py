"""A view goes over to a version that is built once the project role of its release moves that version's table.

So no reader is given a table that nobody moves: until then the release before goes on with the old one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import structlog

from crm.errors import CrmError
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.rebuild.failures import TROUBLE

LOOK = 1.0  # seconds between two looks
BUILT = "SELECT name, consumer FROM core.built ORDER BY name"
log = structlog.get_logger()


async def follow(dsn: str, projections: Iterable[Projection[Any]], bootstrap: str, topic: str = JOURNAL.name) -> None:
    """Until cancelled: lets the views of these go over, as soon as they can."""
    by_table = {projection.table: projection for projection in projections}
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    for _, table in await (await conn.execute(BUILT)).fetchall():
                        if projection := by_table.get(table):
                            await let_go(dsn, projection, bootstrap, topic)
                    await asyncio.sleep(LOOK)
        except (*TROUBLE, CrmError) as error:  # readers in the way of a view; or a server's trouble
            log.debug("a view did not go over yet", error=repr(error))
            await asyncio.sleep(LOOK)


async def let_go(dsn: str, projection: Projection[Any], bootstrap: str, topic: str) -> None:
    from streams.cutover.cutover import go_over  # with polars, which a project role does without all other days

    if not await asyncio.to_thread(go_over, dsn, projection, bootstrap, topic):
        log.info("its view goes over", projection=projection.name, table=projection.table)


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
