"""The cursors on crm.connections.cursors: which of them are this replica's, and where each stands.

Replicas share the partitions as a consumer group, so no connection is asked by two. Nothing is committed: who gets a
partition reads it from its beginning, and asks once it is at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from zlib import crc32

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from crm.adapters.kafka.reading import open_consumer
from crm.contract.codec import decode
from crm.errors import Malformed
from crm.facts import ConnectionPolled
from crm.topics import CURSORS

GROUP = "polling"
RETRY_SECONDS = 0.5
logger = structlog.get_logger()


class Cursors(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """`changed` is called when other connections have become this replica's, `heard` with each state that is read.

    `settled` is awaited before connections are left to another replica.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        heard: Callable[[ConnectionPolled], None] = lambda state: None,
        settled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.changed, self.heard, self.settled = changed, heard, settled
        self.states: dict[str, ConnectionPolled] = {}  # of all partitions that are or were its own
        self.partitions = 0
        self.ends: dict[int, int] = {}  # of partitions that are being read
        self.owned: set[int] = set()  # read to the end
        self.joined = False
        self.assigned: set[int] | None = None  # and not looked at yet

    def is_own(self, connection: str) -> bool:
        return bool(self.partitions) and crc32(connection.encode()) % self.partitions in self.owned

    def missing(self) -> str | None:
        """A sentence on what is not known yet; None when all is."""
        if self.joined and not self.ends:
            return None
        return "The cursors of the connections that are polled have not been read from Kafka yet."

    def take(self, key: bytes, value: bytes | None) -> None:
        id = key.decode("utf-8", "replace")
        try:
            fact = decode(value) if value is not None else None
        except Malformed as error:
            logger.error("a cursor cannot be read; the one before it counts", connection=id, error=str(error))
            return
        if isinstance(fact, ConnectionPolled):
            self.states[id] = fact
            self.heard(fact)
        else:
            self.states.pop(id, None)

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        self.owned -= {tp.partition for tp in revoked}
        self.joined = False
        self.changed()
        if self.settled:
            await self.settled()

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        self.assigned = {tp.partition for tp in assigned}
        logger.info("polls the connections of these partitions", partitions=sorted(self.assigned))

    async def begin(self) -> None:
        """Notes up to where the partitions that were just assigned have to be read."""
        if self.assigned is None:
            return
        partitions, self.assigned = [TopicPartition(CURSORS.name, n) for n in self.assigned], None
        ends = await self.consumer.end_offsets(partitions) if partitions else {}
        self.ends = {tp.partition: end for tp, end in ends.items()}
        self.joined = True

    async def read_to_ends(self) -> None:
        """Owns each partition whose end has been read."""
        held = {tp.partition for tp in self.consumer.assignment()}
        done = {
            partition
            for partition, end in self.ends.items()
            if partition in held and await self.consumer.position(TopicPartition(CURSORS.name, partition)) >= end
        }
        if done:
            self.ends = {partition: end for partition, end in self.ends.items() if partition not in done}
            self.owned |= done
            self.changed()

    async def follow(self, bootstrap: str) -> None:
        """Runs until cancelled, whatever becomes of Kafka."""
        while True:
            try:
                async with open_consumer(
                    bootstrap,
                    group_id=GROUP,
                    auto_offset_reset="earliest",
                    fetch_max_wait_ms=5_000,
                    session_timeout_ms=15_000,
                    heartbeat_interval_ms=5_000,
                ) as consumer:
                    self.consumer = consumer
                    consumer.subscribe([CURSORS.name], listener=self)
                    self.partitions = CURSORS.partitions
                    while True:
                        for records in (await consumer.getmany(timeout_ms=1_000)).values():
                            for record in records:
                                self.take(record.key or b"", record.value)
                        await self.begin()
                        if self.ends:
                            await self.read_to_ends()
            except Exception as error:
                self.owned.clear()
                self.joined = False
                self.changed()
                logger.warning("cursors cannot be followed; trying again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
