"""How a consumer of Kafka is let go, wherever one is opened for a while."""

import asyncio
from typing import Any

STOP_SECONDS = 2.0  # while Kafka is away


async def let_go(consumer: Any) -> None:
    """As a task: aiokafka's stop may hang where nothing was fetched, swallow our cancellation, or raise one that is
    not ours."""
    await asyncio.wait([asyncio.create_task(consumer.stop())], timeout=STOP_SECONDS)
