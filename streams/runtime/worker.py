"""Runs a stream worker with Faust, which does group membership, rebalancing and supervision. Two things are different.

Postgres owns the offsets: a worker starts at its checkpoints and never commits to Kafka. And Faust passes on whole
fetches instead of records, as it spends 90 microseconds on each message. docs/decisions explains why.
Needs topics with acks=False, agents with concurrency=1, stream_buffer_maxsize counting fetches, and dense logs
(no compaction, no transactional producers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import SchedulingStrategyT
from faust.types.tuples import ConsumerMessage

from crm.adapters.kafka.address import client_options, servers_of
from crm.settings import Settings
from streams.runtime.checkpoints import Partition, Record


class Fetch(ConsumerMessage):
    """Consecutive records of one partition in one Faust message."""

    records: Sequence[Record]


class WholeFetches(SchedulingStrategyT):
    """Makes Faust iterate over fetches instead of records."""

    def __init__(self) -> None: ...

    def iterate(self, records: Mapping[TP, list[Record]]) -> Iterator[tuple[TP, Any]]:
        return iter(records.items())


class NoReadOffsets(dict[TP, "int | None"]):
    """Forgets the offsets that Faust has read. Faust drops lower ones, which a rewind needs again."""

    def __missing__(self, tp: TP) -> None: ...
    def __setitem__(self, tp: TP, offset: int | None) -> None: ...
    def update(self, *args: Any, **kwargs: Any) -> None: ...


class Consumer(driver.Consumer):
    """Starts at the checkpoints in Postgres."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = NoReadOffsets()
        self.scheduler = WholeFetches()

    def _to_message(self, tp: TP, record: Any) -> Fetch:
        fetch = cast(Fetch, super()._to_message(tp, record[0]))
        fetch.records = record
        return fetch

    async def seek_to_committed(self) -> Mapping[TP, int]:
        # Past broker_request_timeout Faust's recovery would take it for a stop and idle forever: raise earlier.
        async with asyncio.timeout(self.app.conf.broker_request_timeout / 2):
            return await cast(Transport, self.transport).begin(self.assignment())


class Transport(driver.Transport):
    """Calls `begin(partitions)`, which moves the consumer to the checkpoints and returns their offsets."""

    Consumer = Consumer

    def __init__(self, app: faust.App, begin: Callable[[Any], Awaitable[Mapping[TP, int]]]) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.begin = begin
        app.transport = self


class App(faust.App):
    """Faust without its data folder, which it would only leave behind: the sole store is memory."""

    def _create_directories(self) -> None: ...


def credentials(bootstrap: str) -> Any:
    """Returns how Faust signs in; None where nobody has to."""
    options = client_options(bootstrap)
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        user, password = options["sasl_plain_username"], options["sasl_plain_password"]
        return faust.SASLCredentials(
            username=user, password=password, mechanism=options["sasl_mechanism"], ssl_context=context
        )
    return faust.SSLCredentials(context) if context else None


class Worker:
    """A Faust app that reads whole fetches of some topics into the queue `fetches`."""

    AHEAD = 64  # fetches that may wait in the queue

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        settings: Settings,
        begin: Callable[[Worker, Sequence[Partition]], Awaitable[Mapping[TP, int]]],
    ) -> None:
        self.fetches: asyncio.Queue[Fetch] = asyncio.Queue(self.AHEAD)
        self.begun = False
        self.app = App(
            group,
            broker=[f"kafka://{host}" for host in servers_of(settings.kafka_bootstrap).split(",")],
            broker_credentials=credentials(settings.kafka_bootstrap),
            consumer_group_instance_id=f"{group}-{settings.instance}",
            store="memory://",
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            stream_buffer_maxsize=self.AHEAD,
            stream_wait_empty=False,
            broker_max_poll_records=500,
            broker_max_poll_interval=1e6,  # otherwise a worker that waits for Postgres is expelled and never rejoins
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
        """Returns the partitions assigned to this worker; empty before it has joined its group."""
        if not self.begun:
            return set()
        return {Partition(*tp) for tp in self.app.consumer.assignment()}

    def end(self, partition: Partition) -> int:
        """Returns the offset after the last known record."""
        return self.app.consumer.highwater(TP(*partition)) or 0

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Moves the consumer to these offsets. Thread-safe, unlike Faust's own seek."""
        await self.app.consumer.seek_wait({TP(*p): offset for p, offset in offsets.items()})

    async def bounds(self, partitions: Sequence[Partition]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """Returns the first and the end offset of each partition."""
        tps = [TP(*p) for p in partitions]
        consumer = self.app.consumer
        return await consumer.earliest_offsets(*tps), await consumer.highwaters(*tps)

    async def check(self) -> None:
        """Raises the error that killed the app. Faust itself would idle forever, so call this twice a second."""
        app: Any = self.app
        parts = (app, app.consumer, app.consumer._thread, app._fetcher, app.tables.recovery, *app.agents.values())
        for part in parts:
            if part.crashed:
                raise RuntimeError(f"{part} crashed") from part.crash_reason

        async def group_errors() -> None:  # aiokafka's coordinator waits for this call; Faust never makes it
            consumer = app.consumer._thread._consumer  # both are absent while Faust still joins the group
            if consumer and consumer._coordinator:
                consumer._coordinator.check_errors()

        if not app.consumer._thread.thread_loop.is_running():
            return
        checked = asyncio.run_coroutine_threadsafe(group_errors(), app.consumer._thread.thread_loop)
        await asyncio.wait_for(asyncio.wrap_future(checked), 10)
