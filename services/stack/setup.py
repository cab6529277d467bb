"""Sets up Kafka's topics and Postgres's tables before the roles start."""

import asyncio
from collections.abc import Callable

from crm.adapters.postgres.migrations import migrate
from crm.engine import recovery
from projections import PROJECTIONS
from services.stack import topics
from services.stack.access import record_declared
from services.stack.workspaces import declare_missing


async def topics_and_tables(
    bootstrap: str, dsn: str, replication: int = 1, say: Callable[[str], None] = lambda _: None
) -> None:
    """Creates what is missing and brings an empty or old database up to the journal in Kafka. Safe to repeat.

    Raises the errors of Kafka and Postgres.
    """
    await asyncio.gather(
        create_topics(bootstrap, replication),
        topics.wake_coordinator(bootstrap),
        asyncio.to_thread(migrate, dsn, PROJECTIONS.values()),
    )
    await recovery.ensure(bootstrap, dsn, say)
    await declare_missing(bootstrap, dsn)
    await record_declared(bootstrap, dsn)


async def create_topics(bootstrap: str, replication: int) -> None:
    await topics.create_missing(bootstrap, replication)
    await topics.set_compression(bootstrap)
