"""Faust runs a stream worker: membership, rebalance, supervision. Two things are ours.

Postgres owns the offsets: a worker starts at its checkpoints and nothing is ever committed to Kafka. And it is handed
whole fetches instead of records, as Faust spends 90 microseconds on each message. docs/decisions tells why.
Needs topics with acks=False, agents with concurrency=1, stream_buffer_maxsize counting fetches, and dense logs
(no compaction, no transactional producers).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import SchedulingStrategyT
from faust.types.tuples import ConsumerMessage

from crm.settings import Settings
from streams.runtime.checkpoints import Partition, Record


class Fetch(ConsumerMessage):
    """Consecutive records of one partition, as one Faust message."""

    records: Sequence[Record]


class WholeFetches(SchedulingStrategyT):
    """Faust iterates over fetches instead of records."""

    def __init__(self) -> None: ...

    def iterate(self, records: Mapping[TP, list[Record]]) -> Iterator[tuple[TP, Any]]:
        return iter(records.items())


class Forgetful(dict[TP, "int | None"]):
    """Faust drops offsets below the highest one it has read; a rewind wants them again."""

    def __missing__(self, tp: TP) -> None: ...
    def __setitem__(self, tp: TP, offset: int | None) -> None: ...
    def update(self, *args: Any, **kwargs: Any) -> None: ...


class Consumer(driver.Consumer):
    """Starts where Postgres says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = Forgetful()
        self.scheduler = WholeFetches()

    def _to_message(self, tp: TP, record: Any) -> Fetch:
        fetch = cast(Fetch, super()._to_message(tp, record[0]))
        fetch.records = record
        return fetch

    async def seek_to_committed(self) -> Mapping[TP, int]:
        # Slower than broker_request_timeout looks like a stop to Faust's recovery, and it would idle for ever: raise.
        async with asyncio.timeout(self.app.conf.broker_request_timeout / 2):
            return await cast(Transport, self.transport).begin(self.assignment())


class Transport(driver.Transport):
    """`begin(partitions)` moves the consumer to the checkpoints and returns them."""

    Consumer = Consumer

    def __init__(self, app: faust.App, begin: Callable[[Any], Awaitable[Mapping[TP, int]]]) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.begin = begin
        app.transport = self


class Worker:
    """One Faust app that reads whole fetches of some topics into `fetches`."""

    AHEAD = 64  # fetches that may wait

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        settings: Settings,
        begin: Callable[[Worker, Sequence[Partition]], Awaitable[Mapping[TP, int]]],
    ) -> None:
        self.fetches: asyncio.Queue[Fetch] = asyncio.Queue(self.AHEAD)
        self.begun = False
        self.app = faust.App(
            group,
            broker=[f"kafka://{host}" for host in settings.kafka_bootstrap.split(",")],
            consumer_group_instance_id=f"{group}-{settings.instance}",
            datadir=tempfile.mkdtemp(prefix="crm-faust-"),
            store="memory://",
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            stream_buffer_maxsize=self.AHEAD,
            stream_wait_empty=False,
            broker_max_poll_records=500,
            broker_max_poll_interval=1e6,  # else a worker that waits for Postgres is thrown out and never comes back
            broker_request_timeout=20,
            broker_session_timeout=6,
            broker_heartbeat_interval=1,
            consumer_max_fetch_size=256 * 1024,
            consumer_auto_offset_reset="earliest",
            key_serializer="raw",
            value_serializer="raw",
        )

        async def start(assigned: Any) -> Mapping[TP, int]:
            found = await begin(self, [Partition(*tp) for tp in assigned])
            self.begun = True
            return found

        Transport(self.app, start)
        channel = self.app.topic(*topics, acks=False, key_serializer="raw", value_serializer="raw")

        @self.app.agent(channel, concurrency=1, name=f"{group}-reader")
        async def read(stream: faust.StreamT[Any]) -> None:
            async for event in stream.events():
                await self.fetches.put(cast(Fetch, event.message))

    def assigned(self) -> set[Partition]:
        if not self.begun:
            return set()
        return {Partition(*tp) for tp in self.app.consumer.assignment()}

    def end(self, partition: Partition) -> int:
        """Offset behind the last record known of."""
        return self.app.consumer.highwater(TP(*partition)) or 0

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Thread-safe, unlike Faust's own seek."""
        await self.app.consumer.seek_wait({TP(*p): offset for p, offset in offsets.items()})

    async def bounds(self, partitions: Sequence[Partition]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """First and end offset of each partition."""
        tps = [TP(*p) for p in partitions]
        consumer = self.app.consumer
        return await consumer.earliest_offsets(*tps), await consumer.highwaters(*tps)

    async def check(self) -> None:
        """Raises what killed the app. Faust itself would idle for ever, so look twice a second."""
        app: Any = self.app
        parts = (app, app.consumer, app.consumer._thread, app._fetcher, app.tables.recovery, *app.agents.values())
        for part in parts:
            if part.crashed:
                raise RuntimeError(f"{part} crashed") from part.crash_reason

        async def group_errors() -> None:  # aiokafka's coordinator waits for this call; Faust never makes it
            if consumer := app.consumer._thread._consumer:  # Faust's start waits for the group: it is not done yet
                consumer._coordinator.check_errors()

        if not app.consumer._thread.thread_loop.is_running():
            return
        asked = asyncio.run_coroutine_threadsafe(group_errors(), app.consumer._thread.thread_loop)
        await asyncio.wait_for(asyncio.wrap_future(asked), 10)
