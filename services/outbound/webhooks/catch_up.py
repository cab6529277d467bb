"""Plans for webhooks that are behind: new ones, those that replay, and those whose receiver was too slow.

It begins when the role has planned what was in the journal at its start: until then, as after a loss of the database,
nobody knows yet which webhooks were changed or removed. One page of one partition at a time, for all webhooks that are
behind there. The transaction of a page locks the role's checkpoint, so a cursor becomes live exactly where the plan of
new events goes on.
"""

import asyncio
from typing import Any

import structlog
from aiokafka import TopicPartition
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.kafka.reading import open_consumer
from crm.scalars import Id
from crm.topics import JOURNAL
from services.outbound import store
from services.outbound.delivery import Recorded
from services.outbound.planning import CONSUMER
from services.outbound.session import Session
from services.outbound.webhooks import cursors
from services.outbound.webhooks.cursors import NOT_FOUND, Cursor, Key
from services.outbound.webhooks.known import Known
from services.outbound.webhooks.plan import WINDOW, plan_behind

PAGE = 1_000  # records
FETCH = 4_194_304  # bytes of a partition at a time
IDLE_SECONDS = 0.1
MARGIN_MS = 60_000  # by which the clock of a broker may be behind
CHECKPOINT = """
SELECT position FROM core.checkpoint WHERE consumer = %s AND topic = %s AND partition = %s FOR UPDATE"""
PLANNED = "SELECT partition, next_offset FROM core.checkpoint WHERE consumer = %s AND topic = %s"
logger = structlog.get_logger()


class CatchUp:
    """Works on the partitions of this replica."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.at_start: dict[int, int] = {}  # the end offset of each partition

    async def run(self) -> None:
        """Runs until it is cancelled."""
        settings = self.known.role.settings
        async with Session(settings.database_url) as session:
            while True:
                try:
                    async with open_consumer(settings.kafka_bootstrap, max_partition_fetch_bytes=FETCH) as consumer:
                        tps = [TopicPartition(self.known.role.topic, n) for n in range(JOURNAL.partitions)]
                        ends = await consumer.end_offsets(tps)
                        self.at_start = self.at_start or {tp.partition: end for tp, end in ends.items()}
                        while True:
                            if not await self.turn(await session.get(), consumer):
                                await asyncio.sleep(IDLE_SECONDS)
                except Exception as error:
                    logger.warning("a replay waits; trying again", error=repr(error))
                    await asyncio.sleep(1)

    async def turn(self, conn: AsyncConnection, consumer: Any) -> bool:
        """Plans a page of each partition that has webhooks behind. Returns whether there was any.

        The cursors are read between two plans: what a plan has moved is in Postgres only when it is committed, and an
        answer of before would take it back.
        """
        if await cursors.version(conn) != self.known.number:
            async with self.known.role.loop.transaction_lock, conn.transaction():
                await self.known.refresh(conn, {})
        partitions = {partition for _, partition in self.ready()}
        if partitions and not await self.is_planned(conn):
            return False
        for partition in sorted(partitions):
            if self.known.role.leases.holds(partition):
                await self.page(conn, consumer, partition)
        return bool(partitions)

    async def is_planned(self, conn: AsyncConnection) -> bool:
        """Whether replicas have planned all partitions as far as they were at the start of this process."""
        rows = await (await conn.execute(PLANNED, [CONSUMER, self.known.role.topic])).fetchall()
        planned: dict[int, int] = dict(rows)
        return all(planned.get(partition, 0) >= end for partition, end in self.at_start.items())

    def ready(self) -> list[Key]:
        """Returns the cursors that are behind, of webhooks that are on and for which few deliveries wait."""
        webhooks, waiting = self.known.webhooks, self.known.role.queues.waiting
        return [
            key
            for key, cursor in self.known.cursors.items()
            if not cursor.live and key[0] in webhooks and webhooks[key[0]].enabled and waiting(key[0]) <= WINDOW // 2
        ]

    async def page(self, conn: AsyncConnection, consumer: Any, partition: int) -> None:
        ready = {id for id, of in self.ready() if of == partition}
        behind = {id: self.known.cursors[id, partition] for id in ready}
        tp = TopicPartition(self.known.role.topic, partition)
        if unknown := [id for id, cursor in behind.items() if cursor.next == NOT_FOUND]:
            await self.look_up(conn, consumer, tp, unknown)
            return
        start = min(cursor.next for cursor in behind.values())
        records = await self.read(consumer, tp, start)
        end = records[-1].position + 1 if records else start
        role = self.known.role
        async with conn.transaction():
            row = await (await conn.execute(CHECKPOINT, [CONSUMER, tp.topic, partition])).fetchone()
            live_from = row[0] + 1 if row else 0
            if end > live_from:  # what the role has not planned itself yet is left to it
                records = [record for record in records if record.position < live_from]
                end = max(start, live_from)
            now_behind = await cursors.behind(conn, partition)
            mine = {id: cursor for id, cursor in now_behind.items() if id in ready}
            webhooks = [self.known.webhooks[id] for id in mine if id in self.known.webhooks]
            planned, moved = plan_behind(records, end, webhooks, mine)
            moved = {id: Cursor(end >= live_from, c.next, c.previous) for id, c in moved.items()}
            await store.plan(conn, planned)
            await cursors.move(conn, {(id, partition): cursor for id, cursor in moved.items()})
            if meets := bool(moved) and end >= live_from:
                await cursors.changed(conn)
        if meets:
            self.known.number = -1  # the plan of new events reads the cursors again
        # What was read here is newer than what this process knew: another may have planned since.
        self.known.cursors |= {(id, partition): cursor for id, cursor in {**now_behind, **moved}.items()}
        role.leases.add(planned)
        if not records and not moved:
            await asyncio.sleep(IDLE_SECONDS)

    async def look_up(self, conn: AsyncConnection, consumer: Any, tp: TopicPartition, ids: list[Id]) -> None:
        """Finds the positions of cursors that start from a moment."""
        webhooks = self.known.webhooks
        moved: dict[Key, Cursor] = {}
        for id in ids:
            since_ms = max(0, webhooks[id].since // 1_000 - MARGIN_MS)
            offset: int | None = 0
            if since_ms:
                found = (await consumer.offsets_for_times({tp: since_ms})).get(tp)
                offset = found.offset if found else None
            if offset is None:  # nothing is that new
                offset = (await consumer.end_offsets([tp]))[tp]
            position = await self.position_at(consumer, tp, offset)
            moved[id, tp.partition] = Cursor(False, position)
        async with conn.transaction():
            now_behind = await cursors.behind(conn, tp.partition)
            moved = {key: cursor for key, cursor in moved.items() if now_behind.get(key[0]) == Cursor(False, NOT_FOUND)}
            await cursors.move(conn, moved)
        self.known.cursors |= moved

    async def position_at(self, consumer: Any, tp: TopicPartition, offset: int) -> int:
        """Returns the position of the record at an offset, or the one after the last record."""
        if not offset:
            return 0
        records = await self.fetch(consumer, tp, offset - 1, 1)
        return position_of(records[0]) + 1 if records else 0

    async def read(self, consumer: Any, tp: TopicPartition, start: int) -> list[Recorded]:
        """Returns the next records from a position on, without those that the relay repeated. Positions are used as
        offsets: repeats only add offsets, so no record comes before its own."""
        found: list[Recorded] = []
        at, offset = start, start
        while not found:
            records = await self.fetch(consumer, tp, offset, PAGE)
            if not records:
                break
            for record in records:
                if position_of(record) == at:
                    found.append(Recorded(tp.partition, at, record.value))
                    at += 1
            offset = records[-1].offset + 1
        return found

    async def fetch(self, consumer: Any, tp: TopicPartition, offset: int, most: int) -> list[Any]:
        if consumer.assignment() != {tp}:
            consumer.assign([tp])
        consumer.seek(tp, offset)
        if (await consumer.end_offsets([tp]))[tp] <= offset:
            return []
        return list((await consumer.getmany(tp, timeout_ms=2_000, max_records=most)).get(tp, ()))
