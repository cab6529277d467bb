"""What lies in Kafka and in Postgres at one moment: what `crm doctor` compares."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from crm.adapters.kafka.journal_log import next_positions, position_of
from crm.engine.state_fold import HEADS
from crm.scalars import Micros
from crm.topics import DECIDED, JOURNAL
from projections import PROJECTIONS

OUTBOX = "SELECT count(*) FROM core.outbox"
# The relay's lock: streams/relay.py, LEAD.
LEADER = """
SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database AS d ON d.oid = database
WHERE locktype = 'advisory' AND objid = 7068002 AND granted AND datname = current_database())"""
COMPARED = "SELECT EXISTS (SELECT FROM core.compared WHERE server = core.this_server())"
PLACES = "SELECT consumer, topic, partition, next_offset, failed FROM core.checkpoint WHERE consumer = ANY (%s)"
QUARANTINED = SQL("""
SELECT count(*), coalesce(mode() WITHIN GROUP (ORDER BY connector), ''),
  coalesce(mode() WITHIN GROUP (ORDER BY reason), '')
FROM read.{table} WHERE quarantined_at > now() - interval '1 hour' AND status = 'waiting'""")
AT_RISK = SQL("""
SELECT at_risk, connector, count(*), (extract(epoch FROM min(received_at)) * 1000000)::bigint
FROM read.{table} WHERE status = 'waiting' AND at_risk <> '' GROUP BY 1, 2 ORDER BY 1, 2""")
EVENT = re.compile(r"([0-9a-f]{8}-[0-9a-f-]{27})$")  # streams/project.py ends its reason with the event's id
CONSUMERS = [
    "decide",
    *(projection.table for projection in PROJECTIONS.values()),
]  # not those of versions that are gone
FAR = 2_000  # records behind its checkpoint in which a projection's event is looked for: four batches

Place = tuple[str, str, int]  # consumer, topic, partition


@dataclass(frozen=True)
class AtRisk:
    """Deliveries of one connector that wait in quarantine."""

    risk: str  # lead or payment
    connector: str
    count: int
    since: Micros  # when the oldest of them came


@dataclass(frozen=True)
class Flow:
    """Positions are of the journal, offsets of any topic; `next` and `end` are behind the last one."""

    journal: Mapping[int, int] = field(default_factory=dict)  # next position of each partition in Kafka
    heads: Mapping[int, int] = field(default_factory=dict)  # the same in Postgres, read before Kafka's
    heads_after: Mapping[int, int] = field(default_factory=dict)  # and again after
    outbox: int = 0  # rows
    leader: bool = True  # a relay holds the lead
    compared: bool = True  # decide or relay looked, since Postgres started, for what Kafka has more
    places: Mapping[Place, int] = field(default_factory=dict)  # next offset of each consumer
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)  # why a consumer stands still
    events: Mapping[str, str] = field(default_factory=dict)  # where: "partition 3, position 41"
    quarantined: tuple[int, str, str] = (0, "", "")  # within an hour; the most frequent connector and reason
    at_risk: Sequence[AtRisk] = ()  # what waits in quarantine, however long
    newest: float = 0.0  # timestamp of the newest record of all, Unix seconds

    def behind(self) -> dict[Place, int]:
        """Records that each consumer has not taken, where there are some. Who stands still is not counted."""
        lags = {place: self.ends.get(place[1:], 0) - at for place, at in self.places.items()}
        return {place: lag for place, lag in lags.items() if lag > 0 and place[0] not in self.failed}

    def journal_ahead(self) -> dict[int, int]:
        """Events of each partition that Kafka has and Postgres does not know of."""
        return {p: n - self.heads_after.get(p, 0) for p, n in self.journal.items() if n > self.heads_after.get(p, 0)}


async def look(bootstrap: str, conn: AsyncConnection, journal: str = JOURNAL.name) -> Flow:
    """Postgres before Kafka, and its heads again after: what moves meanwhile is not taken for a fault."""
    heads: dict[int, int] = dict(await (await conn.execute(HEADS)).fetchall())
    ((outbox,),) = await (await conn.execute(OUTBOX)).fetchall()
    ((leader,),) = await (await conn.execute(LEADER)).fetchall()
    ((compared,),) = await (await conn.execute(COMPARED)).fetchall()
    rows = await (await conn.execute(PLACES, [CONSUMERS])).fetchall()
    table = Identifier(PROJECTIONS["quarantine"].table)
    (quarantined,) = await (await conn.execute(QUARANTINED.format(table=table))).fetchall()
    at_risk = await (await conn.execute(AT_RISK.format(table=table))).fetchall()
    found = Flow(
        heads=heads,
        outbox=outbox,
        leader=leader,
        compared=compared,
        places={(consumer, topic, partition): at for consumer, topic, partition, at, _ in rows},
        failed={consumer: why for consumer, _, _, _, why in rows if why},
        quarantined=quarantined,
        at_risk=[AtRisk(*row) for row in at_risk],
    )
    ends, newest = await last_records(bootstrap)
    positions = await next_positions(bootstrap, journal, dict.fromkeys(range(JOURNAL.partitions), 0) | heads)
    events = {consumer: await where(bootstrap, found, consumer) for consumer in found.failed}
    heads_after: dict[int, int] = dict(await (await conn.execute(HEADS)).fetchall())
    return replace(found, journal=positions, heads_after=heads_after, ends=ends, newest=newest, events=events)


async def last_records(bootstrap: str) -> tuple[dict[tuple[str, int], int], float]:
    """The end of each partition, and when the newest record of all was written."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        tps = [TopicPartition(t.name, n) for t in (JOURNAL, *DECIDED) for n in range(t.partitions)]
        ends = await consumer.end_offsets(tps)
        begins = await consumer.beginning_offsets(tps)
        filled = [tp for tp in tps if ends[tp] > begins[tp]]
        consumer.assign(filled)
        for tp in filled:
            consumer.seek(tp, ends[tp] - 1)
        newest = 0.0
        async for records in fetched(consumer, ends, filled):
            newest = max([newest, *(record.timestamp / 1000 for record in records)])
    return {(tp.topic, tp.partition): end for tp, end in ends.items()}, newest


async def where(bootstrap: str, flow: Flow, consumer: str) -> str:
    """Where the event lies at which a projection stands still; empty when it is not found."""
    if not (named := EVENT.search(flow.failed[consumer])):
        return ""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as reader:
        begins = {TopicPartition(t, n): at for (c, t, n), at in flow.places.items() if c == consumer}
        reader.assign(list(begins))
        ends = {tp: min(end, begins[tp] + FAR) for tp, end in (await reader.end_offsets(list(begins))).items()}
        for tp, at in begins.items():
            reader.seek(tp, at)
        async for records in fetched(reader, ends, [tp for tp in begins if ends[tp] > begins[tp]]):
            for record in records:
                if ("ce_id", named[1].encode()) in record.headers:
                    return f"partition {record.partition}, position {position_of(record)}"
    return ""


async def fetched(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], wanted: Iterable[TopicPartition]
) -> AsyncIterator[list[Any]]:
    """Until each partition is read to its end."""
    left = list(wanted)
    async with asyncio.timeout(20):
        while left := [tp for tp in left if await consumer.position(tp) < ends[tp]]:
            for records in (await consumer.getmany(*left, timeout_ms=1000)).values():
                yield records
