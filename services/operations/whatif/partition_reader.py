"""Reads partitions of Kafka forward, each up to its end at the start."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Self

from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer
from crm.errors import Broken

SILENCE = 30.0  # seconds without a response
Record = Any  # aiokafka's ConsumerRecord has no types


class PartitionReader:
    """Reads several partitions independently of each other."""

    def __init__(self, bootstrap: str, partitions: Iterable[tuple[str, int]]) -> None:
        self.opening = open_consumer(bootstrap, auto_offset_reset="none", max_partition_fetch_bytes=1 << 20)
        self.tps = [TopicPartition(*place) for place in partitions]
        self.ends: dict[TopicPartition, int] = {}
        self.read: dict[TopicPartition, int] = {}  # the next offset to fetch
        self.waiting: defaultdict[TopicPartition, deque[Record]] = defaultdict(deque)

    async def __aenter__(self) -> Self:
        self.consumer = await self.opening.__aenter__()
        self.ends = await self.consumer.end_offsets(self.tps)
        self.read = await self.consumer.beginning_offsets(self.tps)
        if nonempty := [tp for tp in self.tps if self.read[tp] < self.ends[tp]]:
            self.consumer.assign(nonempty)
        for tp in nonempty:
            self.consumer.seek(tp, self.read[tp])
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.opening.__aexit__(*error)

    async def next(self, topic: str, partition: int) -> Record | None:
        """Returns the next record of a partition; None at its end. Raises TimeoutError when Kafka does not answer."""
        tp = TopicPartition(topic, partition)
        waiting = self.waiting[tp]
        while not waiting and self.read[tp] < self.ends[tp]:
            async with asyncio.timeout(SILENCE):
                found = (await self.consumer.getmany(tp, timeout_ms=1000)).get(tp, ())
            waiting.extend(found)
            self.read[tp] = await self.consumer.position(tp)
        return waiting.popleft() if waiting else None

    async def at(self, topic: str, partition: int, offset: int) -> bytes:
        """Returns the value of the record at an offset; fast when that is near the last one. Raises Broken."""
        tp = TopicPartition(topic, partition)
        waiting = self.waiting[tp]
        while waiting and waiting[0].offset < offset:
            waiting.popleft()
        fetched = waiting and waiting[0].offset == offset
        if not fetched and tp in self.ends and self.read[tp] != offset < self.ends[tp]:
            waiting.clear()
            self.consumer.seek(tp, offset)
            self.read[tp] = offset
        record = await self.next(topic, partition) if fetched or self.read.get(tp) == offset else None
        if record is None or record.offset != offset:
            place = f"{topic}/{partition}/{offset}"
            raise Broken(f"Kafka does not have {place}. Check the topic's retention, then try again.")
        value: bytes = record.value
        return value
