"""Forgets deliveries that arrived or were discarded a month ago. What was given up stays until a person decides."""

import asyncio

import structlog

from services.outbound.session import Session

DAYS = 30
MOST = 5_000  # of one transaction
LOOK_SECONDS = 60.0
OLD = """
DELETE FROM outbound.delivery WHERE id IN (
  SELECT id FROM outbound.delivery WHERE planned_at < now() - %s * interval '1 day'
  AND state IN ('delivered', 'discarded') AND attempted_at < now() - %s * interval '1 day' LIMIT %s)"""
logger = structlog.get_logger()


async def run(dsn: str) -> None:
    """Runs until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            async with Session(dsn) as session:
                conn = await session.get()
                while (await conn.execute(OLD, [DAYS, DAYS, MOST])).rowcount == MOST:
                    await asyncio.sleep(1)
        except Exception as error:
            logger.warning("old deliveries are not forgotten now; trying again", error=repr(error))
