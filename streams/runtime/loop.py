"""The loop of a stream role: whatever has arrived becomes one transaction, effects and checkpoints together."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import psycopg
import structlog
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.adapters.telemetry.metrics import BATCH_SECONDS, HANDLED, RETRIES, STUCK
from crm.engine.dead_letters import TooManyDeadLetters
from crm.settings import Settings
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Checkpoint, LogMismatch, Partition, Places, Record
from streams.runtime.lag import Lag
from streams.runtime.sessions import REFUSED, SESSION, UNHURRIED, connect, topics_there
from streams.runtime.worker import Fetch, Worker

ENOUGH = 500  # records at which a transaction takes no more fetches
IDLE = 5.0  # seconds without a fetch after which the checkpoints are looked at again
STALL = 15.0  # seconds without a try, though there is something to do, after which the role ends to be started again
log = structlog.get_logger()
Todo = Mapping[str, Sequence[Record]]


class Handler(Protocol):
    """What a role does with records: runs inside the transaction that moves the checkpoints."""

    @property
    def consumers(self) -> Sequence[str]:
        """Names under which checkpoints are kept."""

    @property
    def positioned(self) -> bool:
        """The topic is the journal: records count by position."""

    @property
    def durable(self) -> bool:
        """A commit must outlive a power cut. False where Kafka can give everything again."""

    async def handle(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        """`todo`: the new records of each consumer. Returns the consumers that stand still from here on.

        `careful`: the last try met data that Postgres refuses; find the culprit and set it aside.
        """


class Stalled(RuntimeError):
    """Records wait, both servers answer, and nothing is tried: something hangs that only a new start can mend."""


class Consumption:
    """One role's loop over one worker's fetches.

    `prepare` is done for each session with Postgres, before its use; `beside` all the time that the role runs.
    """

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        handler: Handler,
        settings: Settings,
        prepare: Callable[[], Awaitable[object]] | None = None,
        beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self.group, self.topics, self.handler, self.prepare, self.beside = group, topics, handler, prepare, beside
        self.dsn, self.bootstrap = settings.database_url, settings.kafka_bootstrap
        self.worker = Worker(group, topics, settings, self.begin)
        self.healed = False
        self.between = asyncio.Lock()  # held during a transaction: one that is cancelled in its pipeline may hang
        self.tried: float | None = time.monotonic()  # the last transaction that was tried; None: waits for a server
        self.places: Places = {}  # where each consumer is, also one that stands still
        self.failed: set[str] = set()  # who stands still
        self.lag = Lag()

    def missing(self) -> str | None:
        """What keeps this role from being ready."""
        return None if self.worker.begun else f"{self.group} has not joined its consumer group yet"

    async def run(self) -> None:
        """Until cancelled. Raises what cannot be mended by trying again."""
        await topics_there(self.bootstrap, self.topics)
        tasks = [asyncio.create_task(self.worker.app.start()), asyncio.create_task(self.work())]
        if self.beside:
            tasks.append(asyncio.create_task(self.beside()))
        try:
            while True:
                await self.worker.check()
                for task in tasks:
                    if task.done():
                        task.result()
                self.tell_lag()
                await self.watch()
                await asyncio.sleep(0.5)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.between.acquire(), 5)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Nobody waits for it: a static member does not leave its group, and all effects are in Postgres.
            await asyncio.wait([asyncio.create_task(self.worker.app.stop())], timeout=1)

    async def watch(self) -> None:
        """Raises Stalled. Whoever waits for a server, or has nothing to do, is well."""
        if self.tried is None:
            return
        if not self.behind():
            self.tried = time.monotonic()
        elif time.monotonic() - self.tried > STALL:
            try:
                await asyncio.wait_for(self.worker.bounds(list(self.worker.assigned())), STALL)
            except Exception as error:
                log.warning("waiting for Kafka", consumer=self.group, error=repr(error))
                self.tried = time.monotonic()
            else:
                raise Stalled(f"{self.group} has tried nothing for {STALL:.0f} s though records wait")

    def behind(self) -> bool:
        """Records wait for a consumer that does not stand still."""
        ours = self.worker.assigned()
        return any(
            self.worker.end(partition) > at.next_offset
            for (consumer, partition), at in self.places.items()
            if partition in ours and consumer not in self.failed
        )

    async def session(self) -> AsyncConnection:
        """Waits for Postgres, and for Kafka where it is needed before anything is done."""
        self.tried = None
        try:
            while True:
                conn = await connect(self.dsn, SESSION if self.handler.durable else UNHURRIED)
                try:
                    if self.prepare:
                        await self.prepare()
                    return conn
                except (psycopg.Error, KafkaError, OSError, TimeoutError) as error:
                    log.warning("cannot begin yet", consumer=self.group, error=repr(error))
                    await conn.close()
                    await asyncio.sleep(0.5)
        finally:
            self.tried = time.monotonic()

    async def work(self) -> None:
        conn = await self.session()
        while True:
            fetches = await self.take()
            if not fetches:
                await self.rewind(self.worker.assigned())
            self.lag.arrived(fetches, self.places)
            careful = False
            while fetches := [f for f in fetches if Partition(*f.tp) in self.worker.assigned()]:
                try:  # until it is done or not ours: what a lost commit did is found passed
                    conn = await self.session() if conn.closed else conn
                    self.tried = time.monotonic()
                    began = time.perf_counter()
                    async with self.between, conn.pipeline(), conn.transaction():
                        moved, skipped = await self.apply(conn, fetches, careful)
                    self.measure(moved, fetches, time.perf_counter() - began)
                    if skipped:
                        await self.rewind(skipped)
                    break
                except LogMismatch:
                    raise
                except TooManyDeadLetters as error:
                    self.tried = None
                    log.error("stands still", consumer=self.group, why=str(error))
                    await asyncio.Event().wait()
                except Exception as error:
                    if isinstance(error, psycopg.errors.ObjectNotInPrerequisiteState):
                        await conn.close()  # another database than before: a new session compares it first
                    RETRIES.labels(self.group, type(error).__name__).inc()
                    careful = isinstance(error, REFUSED)
                    log.warning("transaction runs again", consumer=self.group, error=repr(error), careful=careful)
                    await asyncio.sleep(0.1)

    async def take(self) -> list[Fetch]:
        """All that arrived during the last transaction, up to ENOUGH records; empty when nothing comes."""
        arrived = self.worker.fetches
        try:
            async with asyncio.timeout(IDLE):
                taken = [await arrived.get()]
        except TimeoutError:
            return []
        while not arrived.empty() and sum(len(f.records) for f in taken) < ENOUGH:
            taken.append(arrived.get_nowait())
        return taken

    async def apply(
        self, conn: AsyncConnection, fetches: Iterable[Fetch], careful: bool
    ) -> tuple[Places, set[Partition]]:
        """In the caller's transaction. The checkpoints stay locked: a second worker waits, then finds them passed.

        Returns the new checkpoints, and the partitions of which earlier records were skipped: read those again.
        """
        partitions = {Partition(*f.tp) for f in fetches}
        places, skipped = await checkpoints.read(conn, self.handler.consumers, partitions, " FOR UPDATE")
        moved: Places = {}
        todo: dict[str, list[Record]] = {}
        for fetch in fetches:
            for key, before in places.items():
                consumer, partition = key
                if partition != Partition(*fetch.tp):
                    continue
                at: Checkpoint = moved.get(key, before)
                if fetch.offset > at.next_offset:
                    skipped.add(partition)
                    continue
                records, after = checkpoints.fresh(fetch.records, at, self.handler.positioned)
                if after != at:
                    moved[key] = after
                    todo.setdefault(consumer, []).extend(records)
        if moved:
            failed = await self.handler.handle(conn, todo, careful)
            self.failed |= failed
            moved = {key: at for key, at in moved.items() if key[0] not in failed}
            await checkpoints.move(conn, moved)
        return moved, skipped

    async def begin(self, worker: Worker, assigned: Sequence[Partition]) -> Mapping[Any, int]:
        """Partitions were assigned: move the consumer to the checkpoints."""
        if not assigned:
            return {}
        async with await connect(self.dsn) as conn:
            await checkpoints.ensure(conn, self.handler.consumers, assigned)
            if not self.healed:
                await checkpoints.heal(conn, self.handler.consumers)
                self.healed = True
            places, _ = await checkpoints.read(conn, self.handler.consumers, assigned)
            self.failed = await checkpoints.standing(conn, self.handler.consumers)
        self.places |= places
        offsets = checkpoints.lowest(places)
        first, end = await worker.bounds(assigned)
        checkpoints.within(offsets, first, end)
        offsets = {p: offsets.get(p, end[p]) for p in assigned}  # type: ignore[index]  # equal to Faust's pairs
        await worker.seek(offsets)
        return offsets

    async def rewind(self, partitions: Iterable[Partition]) -> None:
        """Back to the checkpoints: a skipped last fetch shows itself by nothing else."""
        try:
            await self.begin(self.worker, list(partitions))
        except LogMismatch:
            raise
        except Exception as error:
            log.warning("cannot look at the checkpoints yet", consumer=self.group, error=repr(error))

    def measure(self, moved: Places, fetches: Sequence[Fetch], seconds: float) -> None:
        BATCH_SECONDS.labels(self.group).observe(seconds)
        self.places |= moved
        HANDLED.labels(self.group).inc(sum(len(f.records) for f in fetches))

    def tell_lag(self) -> None:
        """Whether or not anything moves: who retries or stands still falls behind for all to see."""
        ours = self.worker.assigned()
        for key, at in self.places.items():
            self.lag.tell(key, at, self.worker.end(key[1]) if key[1] in ours else 0, time.time())
        if self.handler.positioned:
            for consumer in self.handler.consumers:
                STUCK.labels(consumer).set(consumer in self.failed)
