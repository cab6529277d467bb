"""The relay role, the journal's only writer: carries the outbox to Kafka in position order.

Each transaction is written whole to the commit log first, then to the journal's partitions. A restarted relay resumes
after the last record in Kafka: position n is published only after n - 1, so all positions before the last one are there
and in order. A relay that was frozen and wakes up may repeat a batch at the end; its successor then looks further back.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.adapters.kafka import commit_log
from crm.adapters.kafka.commit_log import Commit
from crm.adapters.kafka.journal_log import JournalWriter, Slice, new_producer, next_positions, unpack
from crm.adapters.kafka.producer import close
from crm.adapters.postgres import outbox
from crm.adapters.postgres.listener import Listener
from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.metrics import LEADS, PUBLISHED
from crm.adapters.telemetry.step import Step
from crm.contract.codec import TYPE_NAMES, type_of
from crm.engine import recovery, state_fold
from crm.settings import Settings
from crm.topics import COMMITS, JOURNAL
from streams import outbox_metrics, quarantine_metrics
from streams.runtime.role import run
from streams.runtime.sessions import answered, connect

LEAD = "SELECT pg_try_advisory_lock(7068002)"
ROWS = "SELECT id, partitions, firsts, counts, records FROM core.outbox WHERE id > %s ORDER BY id LIMIT 32"
DONE = "DELETE FROM core.outbox WHERE id = ANY (%s)"
DOZE, SOME = f"SELECT pg_try_advisory_lock({outbox.DOZING})", "SELECT EXISTS (SELECT FROM core.outbox WHERE id > %s)"
WAKE = f"SELECT pg_advisory_unlock({outbox.DOZING})"
BUSY, IDLE = 0.003, 0.02  # seconds between polls, which cost less than NOTIFY and are no slower
LOOK = 1.0  # seconds after which a dozing relay looks by itself, and keeps its session
BATCH_BYTES = 4_000_000  # held in memory at once, unless one transaction is larger
SETTLED = 30.0  # seconds after which an id not seen yet will never appear: transactions are shorter
LEASE = 5.0  # seconds after which it checks that it still leads; Postgres ends its session after ten idle seconds
# Plans are made while the outbox is empty, so they are fixed here; a frozen leader must lose its lock.
SESSION = (
    "-c idle_session_timeout=10s -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off "
    "-c statement_timeout=30s -c synchronous_commit=off"
)

log = structlog.get_logger()


class Outgoing(NamedTuple):
    """A row of the outbox: the events of one transaction."""

    id: int
    slices: Sequence[Slice]


class Relay:
    """One relay leads; the others wait for its lock. Writes to two topics, the journal and its commit log."""

    def __init__(self, settings: Settings, topic: str = JOURNAL.name, commit_log: str = COMMITS.name) -> None:
        self.settings, self.topic, self.commit_log = settings, topic, commit_log
        self.not_ready: str | None = "relay has not tried to become leader yet"
        self.journal: JournalWriter | None = None
        self.name = str(uuid4())  # distinguishes its commits from another relay's
        self.led_at = 0.0
        self.floor = self.highest = 0  # all ids below the floor are settled; the highest id seen

    @property
    def at(self) -> dict[int, int]:
        """Returns the next position of each partition; empty until it leads."""
        return self.journal.at if self.journal else {}

    def missing(self) -> str | None:
        """Returns why this role is not ready, or None."""
        return self.not_ready

    async def run(self) -> None:
        """Runs until it is cancelled. A lost Postgres connection starts a new election; any other error is raised."""
        dsn = self.settings.database_url
        reports = [asyncio.create_task(metrics.report(dsn)) for metrics in (outbox_metrics, quarantine_metrics)]
        try:
            while True:
                try:
                    await self.stand_by_and_lead()
                except psycopg.OperationalError as error:
                    log.warning("lost Postgres and leadership", error=str(error).strip())
                    self.not_ready, self.journal = "relay has lost its connection to Postgres", None
                    LEADS.set(0)
        finally:
            LEADS.set(0)
            for task in reports:
                task.cancel()

    async def stand_by_and_lead(self) -> None:
        """Waits for the leader's lock, then leads until an error. Raises psycopg.OperationalError without Postgres."""
        async with await connect(self.settings.database_url, SESSION) as conn:
            while not await one(conn, LEAD):
                self.not_ready = None  # a standby is ready to take over
                await asyncio.sleep(0.5)
            bootstrap = self.settings.kafka_bootstrap
            await recovery.ensure(bootstrap, self.settings.database_url, journal=self.topic, commit_log=self.commit_log)
            begins = await state_fold.pairs(conn, state_fold.BEGINS)
            at = await next_positions(bootstrap, self.topic, begins)
            producer = new_producer(bootstrap)
            try:
                await producer.start()
                self.journal = JournalWriter(producer, self.topic, at)
                self.floor = self.highest = 0
                log.info("relay leads", next_positions=sum(at.values()))
                self.not_ready = None
                LEADS.set(1)
                await self.lead(conn, producer)
            finally:
                await close(producer)

    async def lead(self, conn: AsyncConnection, producer: AIOKafkaProducer) -> None:
        """Publishes batch after batch until it is cancelled or fails."""
        settled = time.monotonic()
        young, pause, done = 0, BUSY, list[int]()
        listener = await Listener(conn).listen(outbox.CHANNEL)
        while True:
            rows = await self.next_rows(conn, done)
            if rows:
                PUBLISHED.inc(await self.publish(conn, producer, rows))
            done = [row.id for row in rows]
            if (now := time.monotonic()) - settled > SETTLED:
                settled, self.floor, young = now, young, self.highest
            pause = BUSY if rows else min(IDLE, pause * 1.4)  # the next batch is rarely far behind the last
            if pause < IDLE or not await self.doze(conn, listener):
                await asyncio.sleep(0 if len(rows) > 1 else pause)

    async def doze(self, conn: AsyncConnection, listener: Listener) -> bool:
        """Waits until a writer commits. Returns False at once while one is about to, whom nothing tells to say so."""
        if not await one(conn, DOZE):
            return False
        while not await one(conn, SOME, self.floor) and not await listener.wait(LOOK):
            pass
        await conn.execute(WAKE)
        return True

    async def next_rows(self, conn: AsyncConnection, done: list[int]) -> list[Outgoing]:
        """Deletes the rows in `done`. Returns the next committed rows, at most BATCH_BYTES of them."""
        with answered(conn):
            async with conn.pipeline():
                if done:
                    await conn.execute(DONE, [done])
                found = await (await conn.execute(ROWS, [self.floor])).fetchall()
        self.led_at = time.monotonic()
        rows, size = list[Outgoing](), 0
        for id, *columns in found:
            slices = [Slice(*part) for part in zip(*columns, strict=True)]
            size += sum(len(part.records) for part in slices)
            if rows and size > BATCH_BYTES:
                break
            self.highest = max(self.highest, id)
            rows.append(Outgoing(id, slices))
        return rows

    async def publish(self, conn: AsyncConnection, producer: AIOKafkaProducer, rows: Sequence[Outgoing]) -> int:
        """Returns how many events it added to the journal. Skips those published before a crash."""
        assert self.journal
        new = [row for row in rows if any(self.journal.lacks(part) for part in row.slices)]
        if not new:
            return 0
        if tracing.spans:
            with tracing.spans.batch("publish", steps_of(new)):
                return await self.carry(conn, producer, new)
        return await self.carry(conn, producer, new)

    async def carry(self, conn: AsyncConnection, producer: AIOKafkaProducer, new: Sequence[Outgoing]) -> int:
        """Writes to the commit log, then to the journal. Returns the number of events written."""
        assert self.journal

        async def require_lead() -> None:
            """Raises when another relay may lead by now: it may have published other events at these positions."""
            if time.monotonic() - self.led_at > LEASE:
                await one(conn, "SELECT 1")
                self.led_at = time.monotonic()

        await require_lead()
        commits = [Commit(f"{self.name}/{row.id}", row.slices) for row in new]
        await commit_log.write_commits(producer, self.commit_log, commits)
        return await self.journal.write([part for row in new for part in row.slices], require_lead)


async def one(conn: AsyncConnection, query: str, *parameters: Any) -> Any:
    """Returns the only value of a query's only row."""
    with answered(conn):
        ((value,),) = await (await conn.execute(query, parameters)).fetchall()
    return value


def steps_of(rows: Sequence[Outgoing]) -> list[Step]:
    """Returns the trace steps: one an event, named after its type."""
    return [
        Step(trace, TYPE_NAMES[kind] if (kind := type_of(value)) else "", {"crm.event": id})
        for row in rows
        for part in row.slices
        for _, id, _, trace, value in unpack(part.records)
    ]


if __name__ == "__main__":
    run("relay", Relay)
