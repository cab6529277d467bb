"""What Kafka and Postgres must hold before the roles start, and the demo workspace after."""

import asyncio
from collections.abc import Callable

from crm.adapters.postgres.migrations import migrate
from crm.engine import recovery as recall
from projections import PROJECTIONS
from services.stack import topics
from services.stack.workspaces import declare_missing


async def topics_and_tables(
    bootstrap: str, dsn: str, replication: int = 1, say: Callable[[str], None] = lambda _: None
) -> None:
    """Safe to run at every start; an empty database, or an old one, is brought up to the journal in Kafka.

    Raises what Kafka or Postgres refuse.
    """
    await asyncio.gather(
        topics.create_missing(bootstrap, replication),
        topics.wake_coordinator(bootstrap),
        asyncio.to_thread(migrate, dsn, PROJECTIONS.values()),
    )
    await recall.ensure(bootstrap, dsn, say)
    await declare_missing(bootstrap, dsn)
