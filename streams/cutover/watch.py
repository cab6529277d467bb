"""Watches for complete tables: a view switches once the project role of its release keeps the new table up to date.

So no reader gets a table that is not kept up to date: until then the previous release maintains the old one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import structlog

from crm.errors import CrmError
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.rebuild.failures import SERVER_ERRORS

POLL = 1.0  # seconds
BUILT = "SELECT name, consumer FROM core.built ORDER BY name"
log = structlog.get_logger()


async def cut_over_when_ready(
    dsn: str, projections: Iterable[Projection[Any]], bootstrap: str, topic: str = JOURNAL.name
) -> None:
    """Runs until it is cancelled: switches the views of these projections as soon as possible."""
    by_table = {projection.table: projection for projection in projections}
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as conn:
                while True:
                    for _, table in await (await conn.execute(BUILT)).fetchall():
                        if projection := by_table.get(table):
                            await cut_over_or_say_why(dsn, projection, bootstrap, topic)
                    await asyncio.sleep(POLL)
        except SERVER_ERRORS as error:
            log.debug("no view can be switched now", error=repr(error))
            await asyncio.sleep(POLL)


async def cut_over_or_say_why(dsn: str, projection: Projection[Any], bootstrap: str, topic: str) -> None:
    """Tries to switch the view. One that cannot be switched keeps no other one from it."""
    try:
        await try_cut_over(dsn, projection, bootstrap, topic)
    except psycopg.errors.LockNotAvailable as error:  # readers hold the view
        log.debug("a view could not be switched yet", projection=projection.name, error=repr(error))
    except (*SERVER_ERRORS, CrmError) as error:
        log.warning("a view cannot be switched; trying again", projection=projection.name, error=repr(error))


async def try_cut_over(dsn: str, projection: Projection[Any], bootstrap: str, topic: str) -> None:
    """Switches the view if it can be switched now."""
    from streams.cutover.cutover import cut_over  # imports polars, which a project role needs for nothing else

    if not await asyncio.to_thread(cut_over, dsn, projection, bootstrap, topic):
        log.info("view switched to new version", projection=projection.name, table=projection.table)


async def wait_for_cutover(dsn: str, names: Sequence[str], patience: float) -> tuple[str, ...]:
    """Waits at most `patience` seconds. Returns the names whose views no project role has switched."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        waiting = tuple(name for name in await asyncio.to_thread(names_awaiting_cutover, dsn) if name in names)
        if not waiting or loop.time() >= end:
            return waiting
        await asyncio.sleep(0.2)


def names_awaiting_cutover(dsn: str) -> list[str]:
    """Returns the projections with a complete table that their view does not show yet."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        return [name for name, _ in conn.execute(BUILT)]
