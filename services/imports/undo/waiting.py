"""Waits until all that was sent is decided and in the history: an undo reads there what its import did."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.adapters.kafka.reading import open_consumer
from crm.adapters.postgres.history_of_sources import behind, heads
from crm.topics import INTAKE

TOPIC = INTAKE["facts"]
DECIDED = "SELECT partition, next_offset FROM core.checkpoint WHERE consumer = 'decide' AND topic = %s"
LOOK_SECONDS = 0.1
LOOKS = 10  # for one report
Report = Callable[[], Awaitable[None]]
IsOver = Callable[[], bool]


async def wait_until_known(conn: AsyncConnection[Any], bootstrap: str, is_over: IsOver, report: Report) -> None:
    """Returns once the facts that are stored now are decided, and what is decided is in the history; or when it is
    over. Raises OSError when Kafka is away."""
    ends = await stored(bootstrap)
    await wait_while(lambda: undecided(conn, ends), is_over, report)
    last = await heads(conn)
    await wait_while(lambda: behind(conn, last), is_over, report)


async def wait_while(missing: Callable[[], Awaitable[int]], is_over: IsOver, report: Report) -> None:
    for look in count(1):
        if is_over() or not await missing():
            return
        if look % LOOKS == 0:
            await report()
        await asyncio.sleep(LOOK_SECONDS)


async def stored(bootstrap: str) -> dict[int, int]:
    """Returns where each partition of the facts ends."""
    partitions = [TopicPartition(TOPIC.name, number) for number in range(TOPIC.partitions)]
    try:
        async with open_consumer(bootstrap) as consumer:
            ends: dict[Any, int] = await consumer.end_offsets(partitions)
    except KafkaError as error:
        raise OSError(f"Kafka does not say what is stored: {error!r}") from None
    return {tp.partition: end for tp, end in ends.items()}


async def undecided(conn: AsyncConnection[Any], ends: Mapping[int, int]) -> int:
    """Returns of how many partitions decide has not read all."""
    read = dict(await (await conn.execute(DECIDED, [TOPIC.name])).fetchall())
    return sum(read.get(partition, 0) < end for partition, end in ends.items())
