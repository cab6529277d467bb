"""Rebuilds projections from the journal: fold, index, catch up, compare, swap, wait for the cutover."""

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
from crm.errors import Broken
from crm.projection import Projection
from crm.rebuilds import LOCK
from crm.topics import JOURNAL
from streams.cutover import catch_up_notices, watch
from streams.rebuild import versions
from streams.rebuild.catch_up import fold_range
from streams.rebuild.compare.compare import compare_tables
from streams.rebuild.compare.shadow import ShadowReport
from streams.rebuild.failures import SERVER_ERRORS, sentence
from streams.rebuild.kept import KeptRebuild, kept_rebuild
from streams.rebuild.priority import Priority, choose_priority
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.spec import RebuildSpec, load_projections
from streams.rebuild.swap import lock_live, lock_readers, swap_table
from streams.rebuild.workers import FoldResult, WorkerFailed, run_workers
from streams.rebuild.write import tables

CLOSE = 2_000  # events that may be left for the swap, while the checkpoints are locked
ATTEMPTS = 150  # to swap, while readers hold the tables
BUDGET = 1 << 30  # bytes of rows in memory, of all workers together


@dataclass(frozen=True)
class RebuildPlan:
    """What to rebuild and with which resources."""

    bootstrap: str
    dsn: str
    names: tuple[str, ...]
    topic: str = JOURNAL.name
    file: str = ""  # that declares them; empty: the built-in projections
    archive: str = ""  # a folder with old history; empty: read everything from Kafka
    workers: int = 0  # processes; 0: chosen, fewer while roles run
    budget: int = BUDGET
    compare: bool = True
    full_speed: bool = False  # even while roles run
    patience: float = 10.0  # seconds to wait for the cutover of a new version, once its table is complete


@dataclass
class ProgressListener:
    """Callbacks for progress. `step`: name of the step; `begin`: total of events; `advance`: events just done.

    `lag`: events still to catch up with. From the step "serve" on, the new rows have replaced the old ones.
    """

    step: Callable[[str], None] = lambda _: None
    begin: Callable[[int], None] = lambda _: None
    advance: Callable[[int], None] = lambda _: None
    lag: Callable[[int], None] = lambda _: None


class RebuildResult(msgspec.Struct):
    """Outcome of a rebuild. `unknown`: by schema id, the count of skipped events, and partition and position of one.

    `waiting`: names of new versions that no project role has switched to yet.
    """

    names: tuple[str, ...]
    projections: dict[str, int]  # rows by table
    events: int
    seconds: dict[str, float]  # by step
    events_per_second: int
    unknown: dict[int, tuple[int, int, int]] = {}
    reports: dict[str, ShadowReport] = {}
    waiting: tuple[str, ...] = ()
    gentle: bool = False  # it ran at low priority alongside roles
    tries: int = 1  # to swap


class AlreadyRunning(Broken):
    """Another rebuild of the same projection is running."""


async def rebuild(plan: RebuildPlan, listener: ProgressListener | None = None) -> RebuildResult:
    """Runs a rebuild. Raises Broken with a sentence when it fails; the present rows are then served as before."""
    try:
        return await Rebuild(plan, listener or ProgressListener()).run()
    except SERVER_ERRORS as error:
        raise Broken(sentence(error)) from error


@dataclass
class Rebuild:
    """One run. Whenever it is interrupted, readers are not affected and the next run starts from scratch."""

    plan: RebuildPlan
    listener: ProgressListener
    seconds: dict[str, float] = field(default_factory=dict)
    schema: str = tables.BUILDING
    tries: int = 0  # to swap
    kept: KeptRebuild | None = None  # what people see of it

    @cached_property
    def priority(self) -> Priority:
        return choose_priority(self.plan.dsn, self.plan.workers, self.plan.full_speed)

    async def run(self) -> RebuildResult:
        """Raises CrmError or SERVER_ERRORS."""
        began = time.perf_counter()
        projections = load_projections(self.plan.names, self.plan.file)
        with rebuild_lock(self.plan.dsn, self.plan.names):
            with self.timed("prepare"):
                await asyncio.to_thread(versions.prepare, self.plan.dsn, projections)
            with kept_rebuild(self.plan.dsn, self.plan.names) as kept:
                self.kept = kept
                built = tables.in_schema(projections)
                done = await self.fold(built)
                await self.complete(built, done)
                at = {p: ReadPosition(done.offsets.get(p, 0), end) for p, end in done.until.items()}
                with self.timed("follow"):
                    at = await self.catch_up(built, at)
                if self.plan.compare:
                    with self.timed("compare"):
                        kept.reports = await self.compare(built, at)
                with self.timed("swap"):
                    at = await self.swap(built, at)
                kept.events = sum(begin.position for begin in at.values())
                kept.rows = {p.table: done.rows.get(p.name, 0) for p in projections}
        total = time.perf_counter() - began
        self.seconds["total"] = round(total, 2)
        working = total - self.seconds.get("compare", 0.0)
        with self.timed("serve"):
            waiting = await watch.wait_for_cutover(self.plan.dsn, self.plan.names, self.plan.patience)
        return RebuildResult(
            names=self.plan.names,
            projections=kept.rows,
            events=kept.events,
            seconds=self.seconds,
            events_per_second=round(kept.events / working),
            unknown=done.unknown,
            reports=kept.reports,
            waiting=waiting,
            gentle=self.priority.gentle,
            tries=self.tries,
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Reports a step and adds its duration to `seconds`."""
        began = time.perf_counter()
        self.listener.step(step)
        if self.kept:
            self.kept.step(step)
        yield
        self.seconds[step] = round(self.seconds.get(step, 0.0) + time.perf_counter() - began, 2)

    async def fold(
        self, built: Sequence[Projection[Any]], together: bool = False, everything: bool = False
    ) -> FoldResult:
        """Folds the journal into the tables of `built`. Decodes all fields on a second attempt if a fold needs more."""
        plan, how = self.plan, self.priority
        with self.timed("fold"):
            await asyncio.to_thread(tables.make_all, plan.dsn, built)
            until = await next_positions(plan.bootstrap, plan.topic, dict.fromkeys(range(JOURNAL.partitions), 0))
            self.listener.begin(sum(until.values()))
            spec = RebuildSpec(
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
                return await run_workers(spec, how.workers, self.listener.advance, together, how.gentle)
            except WorkerFailed as failed:
                if not failed.everything or everything:
                    raise
        return await self.fold(built, together, everything=True)

    async def complete(self, built: Sequence[Projection[Any]], done: FoldResult) -> None:
        """Creates keys and indexes. If a key came from several processes, folds everything again in one process."""
        try:
            with self.timed("index"):
                await asyncio.to_thread(tables.complete_all, self.priority.dsn, built, self.priority.parallel_indexes)
        except tables.KeyInSeveralPartitions as error:
            self.listener.step(f"{error}; folding all partitions in one process")
            again = await self.fold(built, together=True)
            done.until, done.offsets, done.rows = again.until, again.offsets, again.rows
            with self.timed("index"):
                await asyncio.to_thread(tables.complete_all, self.priority.dsn, built, self.priority.parallel_indexes)

    async def catch_up(
        self, built: Sequence[Projection[Any]], at: Mapping[int, ReadPosition]
    ) -> dict[int, ReadPosition]:
        """Folds new events until few are left; the swap folds the rest, even of a journal that grows faster."""
        for _ in range(10):
            ends = await next_positions(self.plan.bootstrap, self.plan.topic, {p: b.position for p, b in at.items()})
            left = sum(end - at[p].position for p, end in ends.items())
            self.listener.lag(left)
            at = await self.fold_up_to(built, at, ends)
            if left <= CLOSE:
                break
        return dict(at)

    async def fold_up_to(
        self, built: Sequence[Projection[Any]], at: Mapping[int, ReadPosition], until: Mapping[int, int]
    ) -> dict[int, ReadPosition]:
        """Folds the events from `at` to before `until`. Returns the positions reached."""
        if all(end <= at[p].position for p, end in until.items()):
            return dict(at)
        async with await AsyncConnection.connect(self.plan.dsn) as conn:
            until = {p: until.get(p, begin.position) for p, begin in at.items()}
            return await fold_range(conn, built, self.plan.bootstrap, self.plan.topic, at, until)

    async def compare(
        self, built: Sequence[Projection[Any]], at: Mapping[int, ReadPosition]
    ) -> dict[str, ShadowReport]:
        """Compares the new tables with those that are read, by projection."""
        plan, dsn = self.plan, self.priority.dsn
        reports = {p.name: await compare_tables(dsn, p, at, plan.bootstrap, plan.topic) for p in built}
        return {name: report for name, report in reports.items() if report}

    async def swap(self, built: Sequence[Projection[Any]], at: Mapping[int, ReadPosition]) -> dict[int, ReadPosition]:
        """Swaps the tables. Returns the positions reached. Raises Broken when readers hold the tables all the time."""
        for _ in range(ATTEMPTS):
            at = await self.catch_up(built, at)
            self.tries += 1
            with suppress(psycopg.errors.LockNotAvailable):
                conn = await asyncio.to_thread(tables.connected, self.plan.dsn)
                try:
                    await self.try_swap(conn, built, at)
                    return at
                finally:
                    conn.close()
            await asyncio.sleep(min(1.0, 0.1 * self.tries))  # readers are made to wait at each attempt
        raise Broken(
            f"Readers held the tables of {', '.join(self.plan.names)} at each of {ATTEMPTS} attempts. "
            "Nothing was swapped. Look for a long query in pg_stat_activity, then run it again."
        )

    async def try_swap(
        self, conn: tables.Connection, built: Sequence[Projection[Any]], at: dict[int, ReadPosition]
    ) -> None:
        """Swaps the tables in one transaction. Raises psycopg.errors.LockNotAvailable when readers hold one of them.

        Moves `at` in place: what is folded on the way stays in the new tables even if the swap fails.
        """
        topic = self.plan.topic
        served = {p.name: await asyncio.to_thread(views.served, conn, p.name) for p in built}
        # Views of other versions switch later; their cutover then notifies subscribers.
        live = [p.table for p in built if served[p.name] == ("read", p.table)]
        before = await asyncio.to_thread(catch_up_notices.positions_seen, conn, live, topic)
        ahead = await catch_up_notices.changes_between(built, before, at, self.plan.bootstrap, topic)
        every = {*(view.table for view in served.values() if view), *(p.table for p in built)}
        locked = await asyncio.to_thread(lock_live, conn, sorted(every), topic)
        seen = await asyncio.to_thread(catch_up_notices.positions_seen, conn, live, topic)
        at |= await self.fold_up_to(built, at, {p: max(locked.get(p, 0), b.position) for p, b in at.items()})
        await asyncio.to_thread(lock_readers, conn, self.plan.names)
        for projection in built:
            await asyncio.to_thread(swap_table, conn, projection, served[projection.name], at, topic)
            if positions := seen.get(projection.table):
                await asyncio.to_thread(catch_up_notices.notify, conn, projection, positions, at, ahead)
        conn.commit()  # not in a thread, so that an interrupt comes either before it or after it
        self.listener.step("serve")


@contextmanager
def rebuild_lock(dsn: str, names: Sequence[str]) -> Iterator[None]:
    """Allows one rebuild of a name at a time. Raises AlreadyRunning. The lock ends with this process."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm rebuild") as conn:
        for name in sorted(names):
            ((mine,),) = conn.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK, name]).fetchall()
            if not mine:
                raise AlreadyRunning(
                    f"Another rebuild of {name} is running. This one has changed nothing; the other one continues. "
                    "Run it again when the other one is done."
                )
        try:
            yield
        finally:  # Postgres notices a closed connection with a delay, and the next rebuild may start at once
            with suppress(psycopg.Error):
                conn.execute("SELECT pg_advisory_unlock_all()")
