"""How a consumer of Kafka is opened for a while and let go, whoever is cut off in the middle of it."""

import asyncio
from typing import Any

STOP_SECONDS = 2.0  # while Kafka is away


async def begin(consumer: Any) -> None:
    """Started to the end also when it is cancelled meanwhile: of a connection that is just being made aiokafka knows
    nothing yet, and nobody would close it."""
    starting = asyncio.create_task(consumer.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=STOP_SECONDS)
        if starting.done() and not starting.cancelled():
            starting.exception()  # nobody waits for it any more
        starting.cancel()
        raise


async def let_go(consumer: Any) -> None:
    """As a task: aiokafka's stop may hang where nothing was fetched, swallow our cancellation, or raise one that is
    not ours."""
    await asyncio.wait([asyncio.create_task(consumer.stop())], timeout=STOP_SECONDS)
