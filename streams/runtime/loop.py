"""The loop of a stream role: commits all fetches that have arrived in one transaction, effects and checkpoints."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import psycopg
import structlog
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from crm.adapters.telemetry.metrics import BATCH_SECONDS, HANDLED, RETRIES, STUCK
from crm.engine.dead_letters import TooManyDeadLetters
from crm.settings import Settings
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Checkpoints, LogMismatch, Partition, Record
from streams.runtime.lag import Lag
from streams.runtime.sessions import ASYNC_COMMIT_SESSION, REFUSED, SESSION, answered, connect, wait_for_topics
from streams.runtime.waiting import Waiting, rest
from streams.runtime.worker import Fetch, Worker

IDLE = 5.0  # seconds without a fetch after which the checkpoints are read again
STALL = 15.0  # seconds without an attempt though records wait, after which the role exits to be restarted
log = structlog.get_logger()
NewRecords = Mapping[str, Sequence[Record]]


class Handler(Protocol):
    """What a role does with records. Runs inside the transaction that moves the checkpoints."""

    @property
    def consumers(self) -> Sequence[str]:
        """Names under which the checkpoints are stored."""

    @property
    def positioned(self) -> bool:
        """Whether the topic is the journal, whose records are identified by position."""

    @property
    def durable(self) -> bool:
        """Whether commits must survive a power cut. False where everything can be read from Kafka again."""

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        """Handles the new records of each consumer. Returns the consumers that are halted from here on.

        `isolate`: Postgres rejected data in the last attempt; find the culprit and keep it apart. Of the journal, also
        what the checkpoints call new was there already: replace it.
        """


class Stalled(RuntimeError):
    """Records wait and both servers respond, but nothing is attempted: only a restart can help."""


class ConsumerLoop:
    """The loop of one role over the fetches of one worker.

    `prepare` runs on each new Postgres session before its first use, `background` as long as the role does, and
    `committed` after each transaction. `patient`: topics whose records let those of the others pass. `pace`: seconds
    from one transaction to the next, where the first had SOME records and left none: so the next one has more.
    """

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        handler: Handler,
        settings: Settings,
        prepare: Callable[[], Awaitable[object]] | None = None,
        background: Callable[[], Coroutine[Any, Any, None]] | None = None,
        committed: Callable[[], None] = lambda: None,
        patient: Collection[str] = (),
        pace: float = 0.0,
    ) -> None:
        self.group, self.topics, self.handler = group, topics, handler
        self.prepare, self.background, self.committed = prepare, background, committed
        self.dsn, self.bootstrap = settings.database_url, settings.kafka_bootstrap
        self.worker = Worker(group, topics, settings, self.begin)
        self.waiting, self.pace = Waiting(patient), pace
        self.failures_cleared = False
        self.conn: AsyncConnection | None = None  # the newest session, to be closed at the end
        self.transaction_lock = asyncio.Lock()  # a transaction cancelled in its pipeline may hang
        self.last_attempt: float | None = time.monotonic()  # of a transaction; None: waiting for a server
        self.checkpoints: Checkpoints = {}  # of each consumer, also of halted ones
        self.halted: set[str] = set()  # consumers
        self.lag = Lag()

    def missing(self) -> str | None:
        """Returns why this role is not ready, or None."""
        return None if self.worker.begun else f"{self.group} has not joined its consumer group yet"

    async def run(self) -> None:
        """Runs until it is cancelled. Raises the errors that a retry cannot solve."""
        await wait_for_topics(self.bootstrap, self.topics)
        tasks = [asyncio.create_task(self.worker.app.start()), asyncio.create_task(self.work())]
        if self.background:
            tasks.append(asyncio.create_task(self.background()))
        try:
            while True:
                await self.worker.check()
                for task in tasks:
                    if task.done():
                        task.result()
                self.report_lag()
                await self.check_progress()
                await asyncio.sleep(0.5)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.transaction_lock.acquire(), 5)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.conn:
                await self.conn.close()
            # No need to wait longer: a static member does not leave its group, and all effects are in Postgres.
            await asyncio.wait([asyncio.create_task(self.worker.app.stop())], timeout=1)

    async def check_progress(self) -> None:
        """Raises Stalled. A role that waits for a server, or has nothing to do, is healthy."""
        if self.last_attempt is None:
            return
        if not self.has_backlog():
            self.last_attempt = time.monotonic()
        elif time.monotonic() - self.last_attempt > STALL:
            try:
                await asyncio.wait_for(self.worker.bounds(list(self.worker.assigned())), STALL)
            except Exception as error:
                log.warning("waiting for Kafka", consumer=self.group, error=repr(error))
                self.last_attempt = time.monotonic()
            else:
                raise Stalled(f"{self.group} has tried nothing for {STALL:.0f} s though records wait")

    def has_backlog(self) -> bool:
        """Returns whether records wait for a consumer that is not halted."""
        ends = self.ends()
        return any(
            ends.get(partition, 0) > at.next_offset and consumer not in self.halted
            for (consumer, partition), at in self.checkpoints.items()
        )

    def ends(self) -> Mapping[Partition, int]:
        """Returns the offset after the last known record of each partition that is ours."""
        return {partition: self.worker.end(partition) for partition in self.worker.assigned()}

    async def session(self) -> AsyncConnection:
        """Opens a session and prepares it. Waits for Postgres, and for Kafka where `prepare` needs it."""
        self.last_attempt = None
        try:
            while True:
                conn = await connect(self.dsn, SESSION if self.handler.durable else ASYNC_COMMIT_SESSION)
                try:
                    if self.prepare:
                        await self.prepare()
                    self.conn = conn
                    return conn
                except (psycopg.Error, KafkaError, OSError, TimeoutError) as error:
                    log.warning("cannot start yet", consumer=self.group, error=repr(error))
                    await conn.close()
                    await asyncio.sleep(0.5)
        finally:
            self.last_attempt = time.monotonic()

    async def work(self) -> None:
        """Applies fetches batch by batch, each until it succeeds or its partitions are assigned to another worker."""
        conn = await self.session()
        while True:
            fetches = await self.take()
            if not fetches:
                await self.rewind(self.worker.assigned(), conn)
            self.lag.note_arrivals(fetches, self.checkpoints)
            isolate = False
            while fetches := [f for f in fetches if Partition(*f.tp) in self.worker.assigned()]:
                try:  # if a commit succeeded but its answer was lost, the retry finds the checkpoints already moved
                    conn = await self.session() if conn.closed else conn
                    self.last_attempt = time.monotonic()
                    began = time.perf_counter()
                    with answered(conn):
                        async with self.transaction_lock, conn.pipeline(), conn.transaction():
                            moved, skipped = await self.apply(conn, fetches, isolate)
                    took = time.perf_counter() - began
                    self.committed()
                    self.measure(moved, fetches, took)
                    await asyncio.sleep(rest(fetches, took, self.pace))
                    if skipped:
                        await self.rewind(skipped, conn)
                    break
                except LogMismatch:
                    raise
                except TooManyDeadLetters as error:
                    self.last_attempt = None
                    log.error("halted", consumer=self.group, why=str(error))
                    await asyncio.Event().wait()
                except Exception as error:
                    if isinstance(error, psycopg.errors.ObjectNotInPrerequisiteState):
                        await conn.close()  # the database was replaced: a new session checks it first
                    RETRIES.labels(self.group, type(error).__name__).inc()
                    isolate = isinstance(error, (*REFUSED, UniqueViolation) if self.handler.positioned else REFUSED)
                    log.warning("transaction is retried", consumer=self.group, error=repr(error), isolate=isolate)
                    await asyncio.sleep(0.1)

    async def take(self) -> list[Fetch]:
        """Returns what arrived during the last transaction, as much as one takes; empty after IDLE seconds."""
        arrived = self.worker.fetches
        if not self.waiting:
            try:
                async with asyncio.timeout(IDLE):
                    self.waiting.add(await arrived.get())
            except TimeoutError:
                return []
        while self.waiting.has_room and not arrived.empty():
            self.waiting.add(arrived.get_nowait())
        return self.waiting.take()

    async def apply(
        self, conn: AsyncConnection, fetches: Iterable[Fetch], isolate: bool
    ) -> tuple[Checkpoints, set[Partition]]:
        """Handles fetches in the caller's transaction and moves the checkpoints.

        The checkpoints stay locked: a second worker waits, then finds the records already handled. Returns the new
        checkpoints, and the partitions with skipped earlier records, which must be read again.
        """
        partitions = {Partition(*f.tp) for f in fetches}
        found, skipped = await checkpoints.read_places(conn, self.handler.consumers, partitions, " FOR UPDATE")
        places = {at: [place for place in found if place.partition == at] for at in partitions}
        for fetch in fetches:
            partition = Partition(*fetch.tp)
            for place in places[partition]:
                if fetch.offset > place.at.next_offset:
                    skipped.add(partition)
                else:
                    place.take(fetch.records, self.handler.positioned)
        if not (moving := checkpoints.as_they_came(found, (Partition(*f.tp) for f in fetches))):
            return {}, skipped
        halted = await self.handler.handle(conn, checkpoints.new_records(moving), isolate)
        self.halted |= halted
        return await checkpoints.move(conn, moving, halted), skipped

    async def begin(self, worker: Worker, assigned: Sequence[Partition]) -> Mapping[Any, int]:
        """Moves the consumer to the checkpoints of newly assigned partitions. Returns the next offset of each."""
        if not assigned:
            return {}
        async with await connect(self.dsn) as conn:
            return await self.seek_to_checkpoints(worker, assigned, conn)

    async def seek_to_checkpoints(
        self, worker: Worker, assigned: Sequence[Partition], conn: AsyncConnection
    ) -> Mapping[Any, int]:
        """Moves the consumer to the checkpoints. Returns the next offset of each partition."""
        with answered(conn):
            await checkpoints.ensure(conn, self.handler.consumers, assigned)
            if not self.failures_cleared:
                await checkpoints.clear_failures(conn, self.handler.consumers)
                self.failures_cleared = True
            found, _ = await checkpoints.read(conn, self.handler.consumers, assigned)
            self.halted = await checkpoints.halted_consumers(conn, self.handler.consumers)
        self.checkpoints |= found
        offsets = checkpoints.lowest_offsets(found)
        first, end = await worker.bounds(assigned)
        checkpoints.require_within_log(offsets, first, end)
        offsets = {p: offsets.get(p, end[p]) for p in assigned}  # type: ignore[index]  # equal to Faust's pairs
        await worker.seek(offsets)
        return offsets

    async def rewind(self, partitions: Collection[Partition], conn: AsyncConnection) -> None:
        """Moves the consumer back to the checkpoints. Nothing else reveals that the last fetch was skipped."""
        try:
            if conn.closed:
                await self.begin(self.worker, list(partitions))
            elif partitions:
                await self.seek_to_checkpoints(self.worker, list(partitions), conn)
        except LogMismatch:
            raise
        except Exception as error:
            log.warning("checkpoints unavailable", consumer=self.group, error=repr(error))

    def measure(self, moved: Checkpoints, fetches: Sequence[Fetch], seconds: float) -> None:
        """Records the metrics of a committed batch."""
        BATCH_SECONDS.labels(self.group).observe(seconds)
        self.checkpoints |= moved
        HANDLED.labels(self.group).inc(sum(len(f.records) for f in fetches))

    def report_lag(self) -> None:
        """Updates the lag of each consumer, also while it retries or is halted."""
        now, ends = time.time(), self.ends()
        for key, at in self.checkpoints.items():
            self.lag.report(key, at, ends.get(key[1], 0), now)
        if self.handler.positioned:
            for consumer in self.handler.consumers:
                STUCK.labels(consumer).set(consumer in self.halted)
