"""A cancelled start of a consumer leaves no connection open, wherever it was cancelled."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer

from crm.adapters.kafka.reading import start_consumer, stop_consumer


def left(bootstrap: str, start: Callable[[Any], Awaitable[None]]) -> list[str]:
    """What Python says of connections that nobody closed, after cuts sooner and later until a start is not cut."""

    async def cut(steps: int) -> bool:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        starting = asyncio.ensure_future(start(consumer))
        for _ in range(steps):
            await asyncio.wait([starting], timeout=0.0005)
        is_cut = starting.cancel()
        await asyncio.wait([starting])
        await stop_consumer(consumer)
        return is_cut

    async def run() -> None:
        steps = 0
        while await cut(steps):
            gc.collect()
            steps += 1

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        asyncio.run(run())
        gc.collect()
    return [str(one.message) for one in found if "unclosed" in str(one.message).lower()]


def test_a_start_that_is_cut_leaves_no_connection(kafka_bootstrap: str) -> None:
    assert left(kafka_bootstrap, start_consumer) == []


def test_one_that_is_not_started_to_the_end_is_found(kafka_bootstrap: str) -> None:
    async def at_once(consumer: Any) -> None:
        await consumer.start()

    assert any(left(kafka_bootstrap, at_once) for _ in range(50)), "where the cuts fall is chance"
