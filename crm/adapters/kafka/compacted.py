"""Follows a compacted topic in memory, from its beginning."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Any, Self

import structlog
from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer

RETRY_SECONDS = 0.5
QUIET_MS = 5_000  # that Kafka keeps a question open while nothing is written; it answers at once when something is
logger = structlog.get_logger()


class CompactedTopic(ABC):
    """Gives every record of a topic to `take`. Works on while Kafka is away, with what it knows. `also`: one more."""

    topic: str
    also: str = ""

    def __init__(self) -> None:
        self.complete = False  # everything that was there at the start is known
        self.task: asyncio.Task[None] | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return (self.topic, self.also) if self.also else (self.topic,)

    @abstractmethod
    def take(self, key: bytes, value: bytes | None) -> None:
        """Learns one record. A record without a value: what was kept under the key is gone."""

    async def start(self, bootstrap: str) -> Self:
        """Returns when everything that was there is known; waits for Kafka as long as it takes."""
        known = asyncio.Event()
        self.task = asyncio.create_task(self.follow(bootstrap, known))
        await known.wait()
        return self

    async def stop(self) -> None:
        if self.task:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def follow(self, bootstrap: str, known: asyncio.Event) -> None:
        while True:
            try:
                async with open_consumer(
                    bootstrap, *self.topics, auto_offset_reset="earliest", fetch_max_wait_ms=QUIET_MS
                ) as consumer:
                    await self.read(consumer, known)
            except Exception as error:
                logger.warning("a topic cannot be followed; trying again", topic=self.topic, error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def read(self, consumer: Any, known: asyncio.Event) -> None:
        """From the beginning: aiokafka itself comes back after Kafka has been away."""
        partitions: list[TopicPartition] = []
        for topic in self.topics:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise LookupError(f"the topic {topic} does not exist yet")
            partitions += [TopicPartition(topic, n) for n in numbers]
        ends = await consumer.end_offsets(partitions)
        while True:
            if not self.complete and all([await consumer.position(p) >= ends[p] for p in partitions]):
                self.complete = True
                known.set()
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    self.take(record.key or b"", record.value)
