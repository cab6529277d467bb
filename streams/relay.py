"""The relay role, the journal's only writer: carries the outbox to Kafka in position order.

Each transaction goes whole into the commit log first, then into the journal's partitions. Kafka's last record says
where to go on: position n is published only after n - 1, so whatever position ends the log, all before it came earlier
and in order. A relay that was frozen and wakes up may repeat a batch at the end; the next one looks further back then.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.adapters.kafka import commit_log as commits
from crm.adapters.kafka.commit_log import Commit
from crm.adapters.kafka.journal_log import JournalWriter, Slice, new_producer, next_positions, unpack
from crm.adapters.kafka.producer import close
from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.metrics import LEADS, PUBLISHED
from crm.adapters.telemetry.step import Step
from crm.contract.codec import TYPE_NAMES, type_of
from crm.engine import recovery as recall
from crm.engine import state_fold as folding
from crm.settings import Settings
from crm.topics import COMMITS, JOURNAL
from streams import backlog, waiting
from streams.runtime.role import run
from streams.runtime.sessions import connect

LEAD = "SELECT pg_try_advisory_lock(7068002)"
ROWS = "SELECT id, partitions, firsts, counts, records FROM core.outbox WHERE id > %s ORDER BY id LIMIT 32"
DONE = "DELETE FROM core.outbox WHERE id = ANY (%s)"
BUSY, IDLE = 0.003, 0.02  # seconds between looks, which cost less than NOTIFY and are no slower
AT_ONCE = 4_000_000  # bytes in hand, unless one transaction has more
SETTLED = 30.0  # seconds after which an id that was not seen will not come any more: transactions are shorter
LEASE = 5.0  # seconds after which it asks whether it still leads; its session ends after ten idle ones
# The plan is made while the outbox is empty; a frozen leader must lose its lock.
SESSION = (
    "-c idle_session_timeout=10s -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off "
    "-c statement_timeout=30s -c synchronous_commit=off"
)

log = structlog.get_logger()


class Outgoing(NamedTuple):
    """A row of the outbox: one transaction's events."""

    id: int
    slices: Sequence[Slice]


class Relay:
    """One leads, the others wait for its lock. The topics are the journal and its commit log."""

    def __init__(self, settings: Settings, topic: str = JOURNAL.name, commit_log: str = COMMITS.name) -> None:
        self.settings, self.topic, self.commit_log = settings, topic, commit_log
        self.waits: str | None = "relay has not asked for the lead yet"
        self.journal: JournalWriter | None = None
        self.name = str(uuid4())  # tells its tries from another relay's
        self.led_at = 0.0
        self.floor = self.highest = 0  # ids below are all settled; the highest id seen

    @property
    def at(self) -> dict[int, int]:
        """The next position of each partition; empty until it leads."""
        return self.journal.at if self.journal else {}

    def missing(self) -> str | None:
        return self.waits

    async def run(self) -> None:
        """Until cancelled. Who loses Postgres asks for the lead again; any other error ends the process."""
        telling = [asyncio.create_task(figures.tell(self.settings.database_url)) for figures in (backlog, waiting)]
        try:
            while True:
                try:
                    await self.stand_by_and_lead()
                except psycopg.OperationalError as error:
                    log.warning("lost Postgres, and with it the lead", error=str(error).strip())
                    self.waits, self.journal = "relay has lost Postgres", None
                    LEADS.set(0)
        finally:
            LEADS.set(0)
            for task in telling:
                task.cancel()

    async def stand_by_and_lead(self) -> None:
        async with await connect(self.settings.database_url, SESSION) as conn:
            while not (await (await conn.execute(LEAD)).fetchone() or (False,))[0]:
                self.waits = None  # a standby is ready to take over
                await asyncio.sleep(0.5)
            bootstrap = self.settings.kafka_bootstrap
            await recall.ensure(bootstrap, self.settings.database_url, journal=self.topic, commit_log=self.commit_log)
            begins = await folding.pairs(conn, folding.BEGINS)
            at = await next_positions(bootstrap, self.topic, begins)
            producer = new_producer(bootstrap)
            try:
                await producer.start()
                self.journal = JournalWriter(producer, self.topic, at)
                self.floor = self.highest = 0
                log.info("relay leads", next_positions=sum(at.values()))
                self.waits = None
                LEADS.set(1)
                await self.lead(conn, producer)
            finally:
                await close(producer)

    async def lead(self, conn: AsyncConnection, producer: AIOKafkaProducer) -> None:
        settled = time.monotonic()
        young, pause, done = 0, BUSY, list[int]()
        while True:
            rows = await self.next_rows(conn, done)
            if rows:
                PUBLISHED.inc(await self.publish(conn, producer, rows))
            done = [row.id for row in rows]
            if (now := time.monotonic()) - settled > SETTLED:
                settled, self.floor, young = now, young, self.highest
            pause = BUSY if rows else min(IDLE, pause * 1.4)  # the next batch is rarely far behind the last
            await asyncio.sleep(0 if len(rows) > 1 else pause)

    async def next_rows(self, conn: AsyncConnection, done: list[int]) -> list[Outgoing]:
        """What is committed and not published, AT_ONCE at most. Forgets what is done."""
        async with conn.pipeline():
            if done:
                await conn.execute(DONE, [done])
            found = await (await conn.execute(ROWS, [self.floor])).fetchall()
        self.led_at = time.monotonic()
        rows, size = list[Outgoing](), 0
        for id, *columns in found:
            slices = [Slice(*part) for part in zip(*columns, strict=True)]
            size += sum(len(part.records) for part in slices)
            if rows and size > AT_ONCE:
                break
            self.highest = max(self.highest, id)
            rows.append(Outgoing(id, slices))
        return rows

    async def publish(self, conn: AsyncConnection, producer: AIOKafkaProducer, rows: Sequence[Outgoing]) -> int:
        """Gives how many events went into the journal. What lies there already, from before a crash, is passed over."""
        assert self.journal
        new = [row for row in rows if any(self.journal.lacks(part) for part in row.slices)]
        if not new:
            return 0
        if tracing.spans:
            with tracing.spans.batch("publish", steps_of(new)):
                return await self.carry(conn, producer, new)
        return await self.carry(conn, producer, new)

    async def carry(self, conn: AsyncConnection, producer: AIOKafkaProducer, new: Sequence[Outgoing]) -> int:
        assert self.journal

        async def leads() -> None:
            """Raises when another may lead by now: it may have published other events at these positions."""
            if time.monotonic() - self.led_at > LEASE:
                await conn.execute("SELECT 1")
                self.led_at = time.monotonic()

        await leads()
        await commits.keep(producer, self.commit_log, [Commit(f"{self.name}/{row.id}", row.slices) for row in new])
        return await self.journal.write([part for row in new for part in row.slices], leads)


def steps_of(rows: Sequence[Outgoing]) -> list[Step]:
    """For traces: every event, by its type."""
    return [
        Step(trace, TYPE_NAMES[kind] if (kind := type_of(value)) else "", {"crm.event": id})
        for row in rows
        for part in row.slices
        for _, id, _, trace, value in unpack(part.records)
    ]


if __name__ == "__main__":
    run("relay", Relay)
