"""A rebuild from its first byte to the view that serves it: fold, index, follow, compare, swap."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import next_positions
from crm.adapters.postgres import views
from crm.adapters.postgres.migrations import migrate
from crm.errors import Broken
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.cutover import catch_up_notices as telling
from streams.cutover import watch
from streams.rebuild import priority as manners
from streams.rebuild import swap as swapping
from streams.rebuild import versions
from streams.rebuild import workers as building
from streams.rebuild.catch_up import follow
from streams.rebuild.compare import compare as comparing
from streams.rebuild.compare.shadow import Report
from streams.rebuild.failures import TROUBLE, sentence
from streams.rebuild.priority import Manners
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.spec import Spec, load
from streams.rebuild.workers import Built, WorkerFailed
from streams.rebuild.write import tables

LOCK = 7_068_010
CLOSE = 2_000  # events that the last stretch may have, while nobody may move
TRIES = 150  # of the swap, when readers are in the way
BUDGET = 1 << 30  # bytes of rows in the memory of all workers together


@dataclass(frozen=True)
class Plan:
    """What to rebuild, and with what."""

    bootstrap: str
    dsn: str
    names: tuple[str, ...]
    topic: str = JOURNAL.name
    file: str = ""  # that declares them; empty: the product's own
    archive: str = ""  # a folder with old history; empty: Kafka has all
    workers: int = 0  # as is fit: fewer beside roles that run
    budget: int = BUDGET
    compare: bool = True
    full_speed: bool = False  # also beside roles that run
    patience: float = 10.0  # seconds that a new version's view may take to go over, once its table is complete


@dataclass
class Told:
    """Whom to tell how it goes: `step` a word, `begin` how many events there are, `advance` how many are done.

    `lag`: events that the journal has more. From the step "serve" on the new rows have taken the old ones' place.
    """

    step: Callable[[str], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    lag: Callable[[int], None] = lambda _: None


class Outcome(msgspec.Struct):
    """`seconds` by step; `unknown` by schema id: how many events of it were passed over, partition, position of one.

    `waiting`: those of another version than is read, which no project role has taken over yet.
    """

    names: tuple[str, ...]
    projections: dict[str, int]  # rows by table
    events: int
    seconds: dict[str, float]
    events_per_second: int
    unknown: dict[int, tuple[int, int, int]] = {}
    reports: dict[str, Report] = {}
    waiting: tuple[str, ...] = ()
    gentle: bool = False  # it gave way to roles that ran
    tries: int = 1  # of the swap


class Busy(Broken):
    """Somebody else rebuilds it."""


async def rebuild(plan: Plan, told: Told | None = None) -> Outcome:
    """Raises Broken with a sentence: then the present rows are served as before."""
    try:
        return await Rebuild(plan, told or Told()).run()
    except TROUBLE as error:
        raise Broken(sentence(error)) from error


@dataclass
class Rebuild:
    """One run. Whenever it is ended, what is read is as it was, and the next run begins anew."""

    plan: Plan
    told: Told
    seconds: dict[str, float] = field(default_factory=dict)
    schema: str = tables.BUILDING
    tries: int = 0  # of the swap

    @cached_property
    def manners(self) -> Manners:
        return manners.choose(self.plan.dsn, self.plan.workers, self.plan.full_speed)

    async def run(self) -> Outcome:
        began = time.perf_counter()
        projections = load(self.plan.names, self.plan.file)
        with held(self.plan.dsn, self.plan.names):
            with self.timed("prepare"):
                await asyncio.to_thread(prepare, self.plan.dsn, projections)
            built = tables.building(projections)
            done = await self.fold(built)
            await self.complete(built, done)
            at = {p: Begin(done.offsets.get(p, 0), end) for p, end in done.until.items()}
            with self.timed("follow"):
                at = await self.catch_up(built, at)
            reports: dict[str, Report] = {}
            if self.plan.compare:
                with self.timed("compare"):
                    reports = await self.compare(built, at)
            with self.timed("swap"):
                at = await self.swap(built, at)
        events = sum(begin.position for begin in at.values())
        total = time.perf_counter() - began
        self.seconds["total"] = round(total, 2)
        working = total - self.seconds.get("compare", 0.0)
        rows = {p.table: done.rows.get(p.name, 0) for p in projections}
        with self.timed("serve"):
            waiting = await watch.shown(self.plan.dsn, self.plan.names, self.plan.patience)
        return Outcome(
            *(self.plan.names, rows, events, self.seconds, round(events / working), done.unknown, reports, waiting),
            gentle=self.manners.gentle,
            tries=self.tries,
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        self.told.step(step)
        yield
        self.seconds[step] = round(self.seconds.get(step, 0.0) + time.perf_counter() - began, 2)

    async def fold(self, built: Sequence[Projection[Any]], together: bool = False, everything: bool = False) -> Built:
        plan, how = self.plan, self.manners
        with self.timed("fold"):
            await asyncio.to_thread(tables.make_all, plan.dsn, built)
            until = await next_positions(plan.bootstrap, plan.topic, dict.fromkeys(range(JOURNAL.partitions), 0))
            self.told.begin(sum(until.values()))
            spec = Spec(
                bootstrap=plan.bootstrap,
                topic=plan.topic,
                dsn=plan.dsn,
                schema=self.schema,
                projections=plan.names,
                until=until,
                file=plan.file,
                archive=plan.archive,
                budget=plan.budget // (1 if together else how.workers),
                everything=everything,
            )
            try:
                return await building.build(spec, how.workers, self.told.advance, together, how.gentle)
            except WorkerFailed as failed:
                if not failed.everything or everything:
                    raise
        return await self.fold(built, together, everything=True)

    async def complete(self, built: Sequence[Projection[Any]], done: Built) -> None:
        """Keys and indexes; when a key turns out to come from several processes, all is folded again by one."""
        try:
            with self.timed("index"):
                await asyncio.to_thread(tables.complete_all, self.manners.dsn, built, self.manners.at_once)
        except tables.TwoPlaces as error:
            self.told.step(f"{error}; folding all partitions in one process")
            again = await self.fold(built, together=True)
            done.until, done.offsets, done.rows = again.until, again.offsets, again.rows
            with self.timed("index"):
                await asyncio.to_thread(tables.complete_all, self.manners.dsn, built, self.manners.at_once)

    async def catch_up(self, built: Sequence[Projection[Any]], at: Mapping[int, Begin]) -> dict[int, Begin]:
        """Until little is left; a journal that grows faster than this is caught up with at the swap."""
        for _ in range(10):
            ends = await next_positions(self.plan.bootstrap, self.plan.topic, {p: b.position for p, b in at.items()})
            left = sum(end - at[p].position for p, end in ends.items())
            self.told.lag(left)
            at = await self.to(built, at, ends)
            if left <= CLOSE:
                break
        return dict(at)

    async def to(
        self, built: Sequence[Projection[Any]], at: Mapping[int, Begin], until: Mapping[int, int]
    ) -> dict[int, Begin]:
        if all(end <= at[p].position for p, end in until.items()):
            return dict(at)
        async with await AsyncConnection.connect(self.plan.dsn) as conn:
            until = {p: until.get(p, begin.position) for p, begin in at.items()}
            return await follow(conn, built, self.plan.bootstrap, self.plan.topic, at, until)

    async def compare(self, built: Sequence[Projection[Any]], at: Mapping[int, Begin]) -> dict[str, Report]:
        return {
            projection.name: report
            for projection in built
            if (
                report := await comparing.compare(
                    self.manners.dsn, projection, at, self.plan.bootstrap, self.plan.topic
                )
            )
        }

    async def swap(self, built: Sequence[Projection[Any]], at: Mapping[int, Begin]) -> dict[int, Begin]:
        """Raises Broken when readers hold the tables all the time."""
        for _ in range(TRIES):
            at = await self.catch_up(built, at)
            self.tries += 1
            with suppress(psycopg.errors.LockNotAvailable):
                conn = await asyncio.to_thread(tables.connected, self.plan.dsn)
                try:
                    served = {p.name: await asyncio.to_thread(views.served, conn, p.name) for p in built}
                    # Views of other versions go over later, and then it is told.
                    live = [p.table for p in built if served[p.name] == ("read", p.table)]
                    before = await asyncio.to_thread(telling.seen, conn, live, self.plan.topic)
                    ahead = await telling.ahead(built, before, at, self.plan.bootstrap, self.plan.topic)
                    every = {*(told.table for told in served.values() if told), *(p.table for p in built)}
                    seen = await asyncio.to_thread(swapping.lock_live, conn, sorted(every), self.plan.topic)
                    shown = await asyncio.to_thread(telling.seen, conn, live, self.plan.topic)
                    at = await self.to(built, at, {p: max(seen.get(p, 0), b.position) for p, b in at.items()})
                    await asyncio.to_thread(swapping.lock_readers, conn, self.plan.names)
                    for projection in built:
                        await asyncio.to_thread(
                            swapping.swap, conn, projection, served[projection.name], at, self.plan.topic
                        )
                        if places := shown.get(projection.table):
                            await asyncio.to_thread(telling.tell, conn, projection, places, at, ahead)
                    conn.commit()  # here, not in a thread: whoever ends us ends us before it or after it
                    self.told.step("serve")
                    return dict(at)
                finally:
                    conn.close()
            await asyncio.sleep(min(1.0, 0.1 * self.tries))  # they are made to wait at each try
        raise Broken(
            f"Readers held the tables of {', '.join(self.plan.names)} at each of {TRIES} tries. "
            "Nothing was swapped. A long query may run: see pg_stat_activity; then run it again."
        )


@contextmanager
def held(dsn: str, names: Sequence[str]) -> Iterator[None]:
    """One rebuild of a name at a time. Raises Busy. Ends with this process, however that ends."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm rebuild") as conn:
        for name in sorted(names):
            ((mine,),) = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK, name]).fetchall()
            if not mine:
                raise Busy(
                    f"Another rebuild of {name} is under way. This one has changed nothing; that one goes on. "
                    "Run it again when that is done."
                )
        try:
            yield
        finally:  # the server notices a closed connection when it has time, and the next one may come at once
            with suppress(psycopg.Error):
                conn.execute("SELECT pg_advisory_unlock_all()")


def prepare(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    """Tables and views as this release wants them. Raises Broken for a row or a fold changed without a version."""
    migrate(dsn, projections)
    with psycopg.connect(dsn) as conn:
        versions.refuse_a_changed_fold(conn, projections)
