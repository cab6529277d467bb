"""Reads journal partitions from Kafka in chunks: whole responses of the broker, not single records."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Self

import polars as pl
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from crm.adapters.kafka.address import client_options
from crm.errors import Broken
from streams.rebuild.read.frames import Batch, batches, records
from streams.rebuild.read.source import Chunk

FETCH = 8 << 20  # bytes of one partition in one response
RESPONSE = 24 << 20  # bytes of one response
WAIT = 100  # milliseconds that Kafka may wait for more records
PATIENCE = 60.0  # seconds without any records


class ReadPosition(NamedTuple):
    """The next record to read: its offset in the topic, and its position in the journal."""

    offset: int = 0
    position: int = 0


def kafka_client(bootstrap: str) -> AIOKafkaClient:
    """Returns a client that is not connected yet."""
    return AIOKafkaClient(**client_options(bootstrap), client_id="rebuild", request_timeout_ms=60_000)


class KafkaSource:
    """Reads partitions from `begins` to before the positions of `until`, in turn. An async context manager.

    Waits for records that are still missing. Raises Broken after PATIENCE seconds without any.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        begins: Mapping[int, ReadPosition],
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

    async def chunks(self) -> AsyncIterator[Chunk]:
        loop = asyncio.get_running_loop()
        received = loop.time()
        fetching = asyncio.ensure_future(self.fetch())
        try:
            while self.at:
                response = await fetching
                for partition, found in response.items():
                    # To the end of the queue: all partitions progress at one pace.
                    if begin := self.at.pop(partition, None):
                        self.at[partition] = ReadPosition(found[-1].next_offset, begin.position)
                # Offsets are known before anything is decoded, so the next response is requested meanwhile.
                fetching = asyncio.ensure_future(self.fetch())
                for partition, found in response.items():
                    received = loop.time()
                    if chunk := self.chunk(partition, found):
                        yield chunk
                if loop.time() - received > PATIENCE:
                    raise Broken(
                        f"Kafka returned no records of {self.topic} for {PATIENCE:.0f} s at {dict(self.at)}. "
                        "Nothing was changed. Run it again."
                    )
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    def chunk(self, partition: int, found: list[Batch]) -> Chunk | None:
        """Returns the wanted positions of these batches, or None. Raises Broken for a gap."""
        where = f"{self.topic}/{partition}"
        begin = self.at.get(partition)
        if begin is None:
            return None
        positions, values = records(found, where)
        wanted, end = begin.position, self.until[partition]
        if len(positions) and not (positions[0] == wanted and (positions.diff(null_behavior="drop") == 1).all()):
            values = values.gather(select_dense(positions, wanted, where))
        next_offset = begin.offset
        if wanted + len(values) > end:
            values, next_offset = values.head(end - wanted), offset_of(found, positions, end)
        reached = wanted + len(values)
        if reached >= end:
            del self.at[partition]
        else:
            self.at[partition] = ReadPosition(next_offset, reached)
        return Chunk(partition, wanted, values, next_offset) if len(values) else None

    async def fetch(self) -> dict[int, list[Batch]]:
        """Requests one response of each broker that leads some partitions. Returns {} when there is nothing new."""
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
                request = FetchRequest(WAIT, 1, RESPONSE, 0, [(self.topic, wanted)])
                response = await self.client.send(leader, request)
            except KafkaError:
                await self.client.force_metadata_update()
                await asyncio.sleep(0.1)
                continue
            for _, partitions in response.topics:
                for partition, code, *_, data in partitions:
                    if batches_ := self.read(partition, code, data, at[partition].offset):
                        found[partition] = batches_
        return found

    def read(self, partition: int, code: int, data: bytes, offset: int) -> list[Batch]:
        """Returns the batches of a partition's response. Raises Broken or KafkaError for an error code."""
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
    """Returns the first offset of the batch with this position. Reading from there repeats some known records."""
    place = positions.index_of(position) or 0
    for batch in found:
        if place < batch.number:
            return batch.base
        place -= batch.number
    return found[0].base


def select_dense(positions: pl.Series, wanted: int, where: str) -> pl.Series:
    """Returns the index of one record for each position from `wanted` on, without repeats. Raises Broken for a gap."""
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
