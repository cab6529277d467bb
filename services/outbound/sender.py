"""Makes the deliveries that are due, many at once, and stores what became of them in batches."""

import asyncio
import time
from collections.abc import Mapping
from functools import cache

import psycopg
import structlog
from msgspec.structs import replace
from prometheus_client import Counter, Histogram
from psycopg import AsyncConnection

from crm.adapters.telemetry.metrics import OUTBOUND, OUTBOUND_SECONDS, OUTBOUND_WAITING
from crm.envelope import Event, now
from crm.scalars import Id, Micros
from services.outbound import store
from services.outbound.backoff import next_attempt
from services.outbound.delivery import SECOND, Delivery, Follower, Outcome, Settled, State
from services.outbound.leases import Leases
from services.outbound.queues import Queues
from services.outbound.session import Session

AT_ONCE = 512  # attempts of this process
BATCH = 1_000  # outcomes of one transaction
RETRY_SECONDS = 0.2
PAUSE = 0.01  # seconds in which further outcomes may join a transaction
PATIENCE = 4.0  # seconds that a process which ends waits for what must not be sent twice
NO_EVENT = 1.0  # seconds until an event is looked for again that the project role has not kept yet
UNCERTAIN = "The process ended while this was being sent. It may have arrived; it was not sent again."
logger = structlog.get_logger()


class Sender:
    """The one loop of a process that sends."""

    def __init__(self, dsn: str, queues: Queues, leases: Leases, followers: Mapping[str, Follower]) -> None:
        self.dsn, self.queues, self.leases, self.followers = dsn, queues, leases, followers
        self.in_flight: dict[asyncio.Task[None], int] = {}  # with its partition
        self.begun: dict[Id, int] = {}  # with its partition: what must not be sent twice and has no stored outcome yet
        self.stopping, self.patience = False, PATIENCE
        self.changed = asyncio.Event()
        self.settled: list[Settled] = []
        self.some_settled = asyncio.Event()
        self.marks: list[tuple[Delivery, asyncio.Future[bool | None]]] = []
        self.some_marked = asyncio.Event()
        self.reader = Session(dsn)
        self.reading = asyncio.Lock()
        leases.changed = self.changed.set
        leases.at_work = self.at_work
        leases.unstored = lambda: {one.delivery.id for one in self.settled}

    async def run(self) -> None:
        """Runs until it is cancelled. Outcomes that were not stored are lost with it: these attempts are repeated. What
        must not be repeated gets a few seconds to come to its end."""
        async with self.reader, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.store_outcomes())
            if any(follower.once for follower in self.followers.values()):
                tasks.create_task(self.store_marks())
            try:
                await self.send_due()
            finally:
                await self.come_to_an_end()

    async def come_to_an_end(self) -> None:
        self.stopping, end = True, time.monotonic() + self.patience
        while self.begun and time.monotonic() < end:
            await asyncio.sleep(PAUSE)
        for task in self.in_flight:
            task.cancel()
        await asyncio.gather(*self.in_flight, return_exceptions=True)

    def at_work(self) -> set[int]:
        """Returns the partitions of attempts that are under way, or whose outcome is not stored yet."""
        stored = (one.delivery.partition for one in self.settled)
        return {*self.in_flight.values(), *self.begun.values(), *stored}

    async def send_due(self) -> None:
        while True:
            self.changed.clear()
            while len(self.in_flight) < AT_ONCE and (one := self.queues.take(now())):
                task = asyncio.create_task(self.attempt(one))
                self.in_flight[task] = one.partition
                task.add_done_callback(self.in_flight.pop)
            OUTBOUND_WAITING.set(len(self.queues.known))
            due = self.queues.next_due()
            try:
                async with asyncio.timeout(None if due is None else max(0.001, (due - now()) / SECOND)):
                    await self.changed.wait()
            except TimeoutError:
                pass

    async def attempt(self, one: Delivery) -> None:
        began = time.perf_counter()
        outcome = await self.outcome_of(one)
        at, took = now(), time.perf_counter() - began
        if not outcome.took_ms:
            outcome = replace(outcome, took_ms=took * 1000)
        if outcome.counts:
            one.attempts += 1
            counted(one.kind, outcome.state).inc()
            timed(one.kind).observe(took)
        if outcome.state is State.WAITING:
            one.due_at = outcome.due_at
            one.event = None if outcome.counts else one.event  # it may take hours
        if outcome.counts:
            self.settled.append(Settled(one, outcome, at))
            self.some_settled.set()
            if outcome.state is State.WAITING and self.followers[one.kind].once:
                one.state = State.WAITING
                await self.is_stored(one)  # or its next attempt could not be stored as begun
        self.queues.finish(one, outcome, at)
        self.changed.set()

    async def outcome_of(self, one: Delivery) -> Outcome:
        """Makes an attempt. A mistake of a follower is a failed attempt of this delivery alone."""
        follower = self.followers.get(one.kind)
        if follower is None or self.stopping or not self.leases.holds(one.partition):
            return later(NO_EVENT)
        begun = one.state == State.SENDING  # by a process that ended, or by this one before it lost its lease
        if begun and one.id in self.begun:
            return later(NO_EVENT)
        sending = False
        try:
            if one.event is None and (found := await self.event_of(one)) is None:
                return later(NO_EVENT)
            elif one.event is None:
                one.event = found
            if begun and not follower.repeats(one):
                return await self.doubt(one)
            if held := await follower.hold(one):
                return held
            if follower.once:
                self.begun[one.id] = one.partition
                if not begun and (refused := await self.mark(one)):
                    del self.begun[one.id]
                    return refused
            begun = sending = True
            return await follower.send(one)
        except Exception as error:
            if not sending and isinstance(error, (psycopg.Error, OSError)):  # Postgres is away
                return later(NO_EVENT)
            logger.exception("a delivery failed by a mistake", kind=one.kind, delivery=one.id)
            if follower.once and not begun:
                return later(NO_EVENT)
            if follower.once:
                return Outcome(State.UNCERTAIN, error=f"{type(error).__name__}: {error}")
            due = next_attempt(one.attempts + 1, now())
            return Outcome(State.WAITING if due else State.DEAD, due, error=f"{type(error).__name__}: {error}")

    async def doubt(self, one: Delivery) -> Outcome:
        async with self.reading:
            in_doubt = await store.is_sending(await self.reader.get(), one)
        return Outcome(State.UNCERTAIN, error=UNCERTAIN) if in_doubt else Outcome(State.DISCARDED, counts=False)

    async def is_stored(self, one: Delivery) -> None:
        while any(settled.delivery is one for settled in self.settled):
            await asyncio.sleep(PAUSE)

    async def event_of(self, one: Delivery) -> Event | None:
        async with self.reading:
            return await store.event_of(await self.reader.get(), one)

    async def mark(self, one: Delivery) -> Outcome | None:
        """Stores on disk that this attempt begins. Returns an outcome if it may not be made."""
        marked: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        self.marks.append((one, marked))
        self.some_marked.set()
        may_be_made = await marked
        if may_be_made is None:  # another replica may send it
            return later(NO_EVENT)
        return None if may_be_made else Outcome(State.DISCARDED, counts=False)

    async def store_marks(self) -> None:
        async with Session(self.dsn) as session:
            while True:
                await self.some_marked.wait()
                self.some_marked.clear()
                marks, self.marks = self.marks, []
                allowed = await self.stored_marks(session, [one for one, _ in marks])
                for one, marked in marks:
                    if not marked.done():  # cancelled at the end of this process
                        marked.set_result(allowed.get(one.id))

    async def stored_marks(self, session: Session, marked: list[Delivery]) -> dict[Id, bool]:
        while True:
            try:
                return await store.mark_sending(await session.get(), self.leases.owner, marked)
            except Exception as error:  # whether it was stored is unknown, but nothing was sent
                logger.warning("the beginning of attempts is not stored; trying again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def store_outcomes(self) -> None:
        async with Session(self.dsn) as session:
            while True:
                await self.some_settled.wait()
                await asyncio.sleep(PAUSE)
                self.some_settled.clear()
                while batch := self.settled[:BATCH]:
                    try:
                        await self.store(await session.get(), batch)
                        del self.settled[: len(batch)]
                        for one in batch:
                            self.begun.pop(one.delivery.id, None)
                    except Exception as error:
                        logger.warning("outcomes are not stored; trying again", error=repr(error), count=len(batch))
                        await asyncio.sleep(RETRY_SECONDS)

    async def store(self, conn: AsyncConnection, batch: list[Settled]) -> None:
        newest: dict[Id, Settled] = {one.delivery.id: one for one in batch}
        async with conn.pipeline(), conn.transaction():
            await store.settle(conn, list(newest.values()))
            for kind, follower in self.followers.items():
                if own := [one for one in batch if one.delivery.kind == kind]:
                    await follower.settled(conn, own)


@cache
def counted(kind: str, state: State) -> Counter:
    return OUTBOUND.labels(kind, state.value)


@cache
def timed(kind: str) -> Histogram:
    return OUTBOUND_SECONDS.labels(kind)


def later(seconds: float) -> Outcome:
    """Returns the outcome of what was not attempted."""
    return Outcome(State.WAITING, Micros(now() + round(seconds * SECOND)), counts=False)
