"""Reads Kafka without a consumer group: opens a consumer, reads ranges of partitions, reads single records."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from crm.adapters.kafka.address import client_options
from crm.errors import NotYet

STOP_SECONDS = 2.0  # while Kafka is away
SILENCE_SECONDS = 60.0  # without a record, then a range cannot be read
ONE_RECORD_MS = 10_000
NO_END = 1 << 62  # an offset that no partition reaches
Record = Any  # aiokafka's ConsumerRecord has no types
Ranges = Mapping[TopicPartition, tuple[int, int]]  # from the first offset to before the second


@asynccontextmanager
async def open_consumer(bootstrap: str, *topics: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Yields a started consumer that commits nothing. It reads the `topics`, or what it is assigned.

    `options` are aiokafka's. Leaves no connection open, also when it is cancelled during the start.
    """
    options = {**client_options(bootstrap), "fetch_max_wait_ms": 50, **options}
    consumer = AIOKafkaConsumer(*topics, enable_auto_commit=False, **options)
    try:
        await start_consumer(consumer)
        yield consumer
    finally:
        await stop_consumer(consumer)


async def start_consumer(consumer: Any) -> None:
    """Completes the start before it raises a cancellation: aiokafka does not close a connection that is being made."""
    starting = asyncio.create_task(consumer.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=STOP_SECONDS)
        if starting.done() and not starting.cancelled():
            starting.exception()  # nobody waits for it any more
        starting.cancel()
        raise


async def stop_consumer(consumer: Any) -> None:
    """Waits STOP_SECONDS at most. In a task: aiokafka's stop may hang where nothing was fetched, swallow our
    cancellation, or raise one that is not ours."""
    await asyncio.wait([asyncio.create_task(consumer.stop())], timeout=STOP_SECONDS)


async def read_range(
    consumer: AIOKafkaConsumer, ranges: Ranges, max_records: int | None = None, silence: float = SILENCE_SECONDS
) -> AsyncIterator[dict[TopicPartition, Sequence[Record]]]:
    """Yields fetch by fetch, each partition in order, until all ranges are read.

    Raises TimeoutError when Kafka gives nothing for `silence` seconds.
    """
    left = {tp: end for tp, (begin, end) in ranges.items() if begin < end}
    if left:  # a consumer that was assigned something and fetched nothing may hang when it stops
        consumer.assign(list(left))
    for tp in left:
        consumer.seek(tp, ranges[tp][0])
    at = {tp: ranges[tp][0] for tp in left}
    loop = asyncio.get_running_loop()
    last = loop.time()
    while left:
        async with asyncio.timeout(silence):
            found = await consumer.getmany(*left, timeout_ms=1000, max_records=max_records)
        within = {tp: upto(records, left[tp]) for tp, records in found.items() if records[0].offset < left[tp]}
        if within:
            yield within
        now_at = {tp: await consumer.position(tp) for tp in left}  # moves past compacted records too
        if found or now_at != at:
            last = loop.time()
        elif loop.time() - last > silence:
            names = ", ".join(f"{tp.topic}/{tp.partition}" for tp in left)
            raise TimeoutError(f"Kafka gave nothing of {names} for {silence:.0f} s. Run it again later.")
        left = {tp: end for tp, end in left.items() if now_at[tp] < end}
        at = {tp: now_at[tp] for tp in left}


def upto(records: Sequence[Record], end: int) -> Sequence[Record]:
    return records if records[-1].offset < end else [record for record in records if record.offset < end]


class RecordReader:
    """Reads single records, one after the other."""

    def __init__(self, bootstrap: str) -> None:
        self.opening = open_consumer(bootstrap, auto_offset_reset="none")

    async def __aenter__(self) -> Self:
        self.consumer = await self.opening.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.opening.__aexit__(*error)

    async def record(self, topic: str, partition: int, offset: int) -> Record:
        """Returns the record at an offset. Raises NotYet when Kafka does not give it."""
        tp = TopicPartition(topic, partition)
        if self.consumer.assignment() != {tp}:
            self.consumer.assign([tp])
        self.consumer.seek(tp, offset)
        try:
            found = (await self.consumer.getmany(tp, timeout_ms=ONE_RECORD_MS, max_records=1)).get(tp)
        except OffsetOutOfRangeError:
            found = None
        if not found or found[0].offset != offset:
            raise NotYet(
                f"Kafka does not have {topic}/{partition}/{offset}, or did not give it in {ONE_RECORD_MS // 1000} s. "
                "Nothing was changed. Look at the topic's retention, then try again."
            )
        return found[0]
