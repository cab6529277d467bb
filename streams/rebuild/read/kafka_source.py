"""The journal's partitions in Kafka as slabs: whole answers of the broker, never one record."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Self

import polars as pl
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from crm.errors import Broken
from streams.rebuild.read.frames import Batch, batches, records
from streams.rebuild.read.source import Slab

FETCH = 8 << 20  # bytes of one partition in one answer
ANSWER = 24 << 20  # bytes of one answer
WAIT = 100  # milliseconds that Kafka may wait for more
PATIENCE = 60.0  # seconds without any answer


class Begin(NamedTuple):
    """Where reading begins: an offset of the topic, and the position that is wanted first."""

    offset: int = 0
    position: int = 0


def kafka_client(bootstrap: str) -> AIOKafkaClient:
    """Not connected yet."""
    return AIOKafkaClient(bootstrap_servers=bootstrap, client_id="rebuild", request_timeout_ms=60_000)


class KafkaSource:
    """From `begins` to before the positions of `until`, all in turn. An async context manager.

    Reads of a partition that has less than `until` wait for the rest, PATIENCE at most: then Broken is raised.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        begins: Mapping[int, Begin],
        until: Mapping[int, int],
        client: AIOKafkaClient | None = None,
    ) -> None:
        self.topic, self.until = topic, until
        self.at = {p: begin for p, begin in begins.items() if begin.position < until[p]}
        self.own = client is None
        self.client = client or kafka_client(bootstrap)

    async def __aenter__(self) -> Self:
        if self.own:
            await self.client.bootstrap()
        await self.client.set_topics([self.topic])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.own:
            await self.client.close()

    async def slabs(self) -> AsyncIterator[Slab]:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        fetching = asyncio.ensure_future(self.fetch())
        try:
            while self.at:
                answer = await fetching
                for partition, found in answer.items():
                    if begin := self.at.pop(partition, None):  # behind the others: all are read at one pace
                        self.at[partition] = Begin(found[-1].next_offset, begin.position)
                # Offsets are known before anything is decoded: the next answer is on its way meanwhile.
                fetching = asyncio.ensure_future(self.fetch())
                for partition, found in answer.items():
                    heard = loop.time()
                    if slab := self.slab(partition, found):
                        yield slab
                if loop.time() - heard > PATIENCE:
                    raise Broken(
                        f"Kafka gave nothing of {self.topic} for {PATIENCE:.0f} s at {dict(self.at)}. "
                        "Nothing was changed. Run it again."
                    )
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    def slab(self, partition: int, found: list[Batch]) -> Slab | None:
        """The wanted positions of these batches. Raises Broken on a gap."""
        where = f"{self.topic}/{partition}"
        begin = self.at.get(partition)
        if begin is None:
            return None
        positions, values = records(found, where)
        wanted, end = begin.position, self.until[partition]
        if len(positions) and not (positions[0] == wanted and (positions.diff(null_behavior="drop") == 1).all()):
            values = values.gather(dense(positions, wanted, where))
        behind = begin.offset
        if wanted + len(values) > end:
            values, behind = values.head(end - wanted), offset_of(found, positions, end)
        reached = wanted + len(values)
        if reached >= end:
            del self.at[partition]
        else:
            self.at[partition] = Begin(behind, reached)
        return Slab(partition, wanted, values, behind) if len(values) else None

    async def fetch(self) -> dict[int, list[Batch]]:
        """One answer of each broker that leads some of the partitions; empty when there is nothing new."""
        at = dict(self.at)
        leaders: dict[int, list[tuple[int, int, int]]] = {}
        for partition, begin in at.items():
            leader = self.client.cluster.leader_for_partition(TopicPartition(self.topic, partition))
            if leader in (None, -1):
                await self.client.force_metadata_update()
                await asyncio.sleep(0.1)
                return {}
            leaders.setdefault(leader, []).append((partition, begin.offset, FETCH))
        found: dict[int, list[Batch]] = {}
        for leader, wanted in leaders.items():
            try:
                request = FetchRequest(WAIT, 1, ANSWER, 0, [(self.topic, wanted)])
                answer = await self.client.send(leader, request)
            except KafkaError:
                await self.client.force_metadata_update()
                await asyncio.sleep(0.1)
                continue
            for _, partitions in answer.topics:
                for partition, code, *_, data in partitions:
                    if batches_ := self.read(partition, code, data, at[partition].offset):
                        found[partition] = batches_
        return found

    def read(self, partition: int, code: int, data: bytes, offset: int) -> list[Batch]:
        where = f"{self.topic}/{partition}"
        if code == 1:
            raise Broken(
                f"{where}: Kafka has nothing at offset {offset}: the topic's beginning is gone. Nothing was changed. "
                "Load it from an archive, or rebuild from the archive."
            )
        if code:
            if for_code(code).invalid_metadata:
                return []
            raise for_code(code)(where)
        return [batch for batch in batches(data, where) if batch.next_offset > offset]


def offset_of(found: list[Batch], positions: pl.Series, position: int) -> int:
    """Where the batch begins that has this position: whoever reads on from there meets some that it knows."""
    place = positions.index_of(position) or 0
    for batch in found:
        if place < batch.number:
            return batch.base
        place -= batch.number
    return found[0].base


def dense(positions: pl.Series, wanted: int, where: str) -> pl.Series:
    """Which records count, one for each position from `wanted` on; the others are repeats. Raises Broken on a gap."""
    kept = []
    for place, position in enumerate(positions.to_list()):
        if position == wanted:
            kept.append(place)
            wanted += 1
        elif position > wanted:
            raise Broken(
                f"{where}: position {position} follows {wanted - 1}. Nothing was changed. "
                "Restore what the journal lacks from an archive."
            )
    return pl.Series(kept, dtype=pl.UInt32)
