"""What Kafka and Postgres must hold before the roles start, and the demo workspace after."""

import asyncio

from crm.adapters.migrations import migrate
from projections import PROJECTIONS
from services.stack import topics


async def topics_and_tables(bootstrap: str, dsn: str, replication: int = 1) -> None:
    """Safe to run at every start. Raises what Kafka or Postgres refuse."""
    await asyncio.gather(
        topics.create_missing(bootstrap, replication),
        topics.wake_coordinator(bootstrap),
        asyncio.to_thread(migrate, dsn, PROJECTIONS.values()),
    )
