"""A range of Kafka is read to its end and no further, whatever lies behind it and whatever was compacted away."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition

from crm.adapters.kafka.reading import read_range

ONE, TWO, EMPTY = (TopicPartition("t", n) for n in range(3))


class Record(NamedTuple):
    offset: int


class Consumer:
    """Gives two records of a partition a fetch. `ends`: where its position is after the last record."""

    def __init__(self, offsets: Mapping[TopicPartition, Sequence[int]], ends: Mapping[TopicPartition, int]) -> None:
        self.offsets, self.ends = offsets, ends
        self.at: dict[TopicPartition, int] = {}
        self.assigned: list[TopicPartition] = []

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.at[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.at[partition]

    async def getmany(self, *partitions: TopicPartition, **_: Any) -> dict[TopicPartition, list[Record]]:
        found = {}
        for partition in partitions:
            records = [Record(offset) for offset in self.offsets[partition] if offset >= self.at[partition]][:2]
            self.at[partition] = records[-1].offset + 1 if records else self.ends[partition]
            if records:
                found[partition] = records
        return found


def read(consumer: Any, ranges: Mapping[TopicPartition, tuple[int, int]]) -> dict[TopicPartition, list[int]]:
    async def all_of_it() -> dict[TopicPartition, list[int]]:
        found: dict[TopicPartition, list[int]] = {}
        async for fetch in read_range(consumer, ranges, silence=0.0):
            for partition, records in fetch.items():
                found.setdefault(partition, []).extend(record.offset for record in records)
        return found

    return asyncio.run(all_of_it())


def test_records_behind_the_end_are_left_out() -> None:
    consumer = Consumer({ONE: range(9), TWO: range(9)}, {ONE: 9, TWO: 9})
    assert read(consumer, {ONE: (2, 5), TWO: (8, 9)}) == {ONE: [2, 3, 4], TWO: [8]}


def test_an_empty_range_is_not_assigned() -> None:
    """A consumer that was assigned a partition and fetched nothing may hang when it stops."""
    consumer = Consumer({ONE: range(3), EMPTY: ()}, {ONE: 3, EMPTY: 0})
    assert read(consumer, {ONE: (0, 3), EMPTY: (0, 0)}) == {ONE: [0, 1, 2]}
    assert consumer.assigned == [ONE]
    assert read(Consumer({}, {}), {}) == {}


def test_what_was_compacted_away_at_the_end_is_not_waited_for() -> None:
    assert read(Consumer({ONE: (0, 4)}, {ONE: 7}), {ONE: (0, 7)}) == {ONE: [0, 4]}


def test_kafka_that_gives_nothing_is_not_waited_for_forever() -> None:
    with pytest.raises(TimeoutError, match=r"^Kafka gave nothing of t/0 for 0 s\. Run it again later\.$"):
        read(Consumer({ONE: (0,)}, {ONE: 1}), {ONE: (0, 3)})
