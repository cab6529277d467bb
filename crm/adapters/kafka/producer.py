"""Writes facts to Kafka: acknowledged by all replicas, idempotent, bounded in memory and in time.

aiokafka retries an idempotent batch forever and blocks other senders meanwhile. Here each partition has a queue and
one batch in flight: what comes while it is away makes up the next one, so batches grow with the load, and none lingers.
A caller that waits gets NotYet after `timeout` seconds; the records stay queued and are kept when Kafka is back.
A batch that fails for good leaves a hole in aiokafka's sequence numbers, and every later one would fail: a new producer
takes over then.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import structlog
from aiokafka import AIOKafkaProducer

from crm.adapters.kafka.address import client_options, servers_of
from crm.errors import NotYet
from crm.log import Record

BATCH_BYTES = 512 * 1024  # of one Kafka batch; a larger record goes alone
RETRY_SECONDS = 0.5
TICK_SECONDS = 0.1  # between two looks at what has waited too long
logger = structlog.get_logger()


class PendingSend:
    """Records that were sent together, waiting for Kafka."""

    __slots__ = ("done", "left", "since")

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = count
        self.since = time.monotonic()

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(NotYet(why))
            self.done.exception()  # its sender may have gone


class PartitionQueue:
    """The queue of one partition."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic, self.partition = topic, partition
        self.queue: deque[tuple[Record, PendingSend]] = deque()
        self.task: asyncio.Task[None] | None = None


class KafkaLog:
    """`async with KafkaLog(...) as log` connects in the background, and keeps trying; leaving it flushes."""

    def __init__(
        self,
        bootstrap: str,
        topics: Iterable[str],
        *,
        max_pending: int = 20_000,
        max_pending_bytes: int = 128_000_000,
        timeout: float = 3.0,
        flush_seconds: float = 10.0,
    ) -> None:
        self.bootstrap, self.topics = bootstrap, tuple(topics)
        self.max_pending, self.max_pending_bytes = max_pending, max_pending_bytes
        self.timeout, self.flush_seconds = timeout, flush_seconds
        self.pending = self.pending_bytes = 0
        self.lanes: dict[str, list[PartitionQueue]] = {}
        self.waiting: deque[PendingSend] = deque()  # in the order of their coming
        self.producer: Any = None
        self.failed = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "KafkaLog":
        self.tasks = [asyncio.create_task(self.keep_connected()), asyncio.create_task(self.watch_time())]
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.flush_seconds):
                while self.producer and (busy := [lane.task for lane in self.all_lanes() if lane.task]):
                    await asyncio.wait(busy)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.disconnect()
        if self.pending:
            logger.warning("stopped with records that Kafka has not acknowledged", count=self.pending)
        for sending in self.waiting:
            sending.fail("This service is stopping. Send it again: a repeat counts once.")

    def missing(self) -> str | None:
        if self.producer is None:
            where = servers_of(self.bootstrap)
            return f"Kafka at {where} cannot be reached yet. Nothing is taken meanwhile; it is tried again."
        if self.waiting and time.monotonic() - self.waiting[0].since > self.timeout:
            return f"Kafka has not acknowledged anything for {self.timeout:g} s. Nothing is taken meanwhile."
        if self.pending >= self.max_pending or self.pending_bytes >= self.max_pending_bytes:
            return f"{self.pending} records wait for Kafka, which is the limit. Nothing more is taken meanwhile."
        return None

    def send(self, *records: Record) -> asyncio.Future[None]:
        """At least one record."""
        sending = PendingSend(len(records))
        if why := self.missing():
            sending.fail(why)
            return sending.done
        self.waiting.append(sending)
        for record in records:
            lanes = self.lanes[record.topic]
            lane = lanes[crc32(record.key) % len(lanes)]
            lane.queue.append((record, sending))
            self.pending_bytes += weight(record)
            if lane.task is None:
                lane.task = asyncio.create_task(self.drain(lane))
        self.pending += len(records)
        return sending.done

    def all_lanes(self) -> list[PartitionQueue]:
        return [lane for lanes in self.lanes.values() for lane in lanes]

    async def drain(self, lane: PartitionQueue) -> None:
        """Sends one batch after the other until the queue is empty."""
        try:
            while lane.queue and not self.failed.is_set():
                taken, batch = self.fill(lane)
                if not taken:
                    break
                try:
                    acked = await self.producer.send_batch(batch, lane.topic, partition=lane.partition)
                    await acked
                except asyncio.CancelledError:  # the next producer sends them again: that is idempotent
                    lane.queue.extendleft(reversed(taken))
                    raise
                except Exception as error:  # whatever Kafka says: it did not take them
                    self.settle(taken, f"Kafka refused the records: {error!r}. They were not kept; send them again.")
                    self.failed.set()
                else:
                    self.settle(taken)
        finally:
            lane.task = None

    def fill(self, lane: PartitionQueue) -> tuple[list[tuple[Record, PendingSend]], Any]:
        batch, taken, queue = self.producer.create_batch(), [], lane.queue
        while queue:
            record = queue[0][0]
            try:
                headers = list(record.headers)
                full = batch.append(timestamp=None, key=record.key, value=record.value, headers=headers) is None
            except Exception as error:  # it alone is at fault: what lies behind it must not wait forever
                self.settle([queue.popleft()], f"The record cannot be written: {error!r}. It was not kept.")
                continue
            if full:
                break
            taken.append(queue.popleft())
        batch.close()
        return taken, batch

    def settle(self, taken: list[tuple[Record, PendingSend]], why: str | None = None) -> None:
        for record, sending in taken:
            self.pending_bytes -= weight(record)
            sending.left -= 1
            if why:
                sending.fail(why)
            elif not sending.left and not sending.done.done():
                sending.done.set_result(None)
        self.pending -= len(taken)
        while self.waiting and not self.waiting[0].left:
            self.waiting.popleft()

    async def watch_time(self) -> None:
        """Fails what has waited longer than the time-out, whatever becomes of the records."""
        while True:
            now = time.monotonic()
            due = (self.waiting[0].since if self.waiting else now) + self.timeout
            await asyncio.sleep(max(TICK_SECONDS, due - now))
            late = time.monotonic() - self.timeout + TICK_SECONDS
            why = f"Kafka did not acknowledge within {self.timeout:g} s. Send it again: a repeat counts once."
            for sending in self.waiting:
                if sending.since > late:
                    break
                sending.fail(why)

    async def keep_connected(self) -> None:
        while True:
            try:
                await self.connect()
                await self.failed.wait()
                logger.error("kafka refused a batch; a new producer takes over")
            except Exception as error:
                logger.warning(
                    "kafka cannot be reached; trying again", bootstrap=servers_of(self.bootstrap), error=repr(error)
                )
                await asyncio.sleep(RETRY_SECONDS)
            await self.disconnect()

    async def connect(self) -> None:
        producer = AIOKafkaProducer(
            **client_options(self.bootstrap),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=10_000,
            retry_backoff_ms=100,
            metadata_max_age_ms=60_000,
        )
        try:
            await producer.start()
            for topic in self.topics:
                count = len(await producer.partitions_for(topic))
                lanes = self.lanes.setdefault(topic, [])
                lanes.extend(PartitionQueue(topic, partition) for partition in range(len(lanes), count))
        except BaseException:
            await close(producer)
            raise
        self.producer = producer
        self.failed.clear()
        for lane in self.all_lanes():
            if lane.queue and lane.task is None:
                lane.task = asyncio.create_task(self.drain(lane))

    async def disconnect(self) -> None:
        producer, self.producer = self.producer, None
        busy = [lane.task for lane in self.all_lanes() if lane.task]
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        if producer:
            await close(producer)


def weight(record: Record) -> int:
    return len(record.value or b"") + 500  # what a queued record holds besides its value


async def close(producer: Any, seconds: float = 2.0) -> None:
    """aiokafka's stop waits forever while Kafka is away."""
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except Exception:
        await producer.client.close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(seconds):
                await producer._sender.close()
