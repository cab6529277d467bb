"""A snapshot of Kafka's offsets and Postgres's checkpoints, for `crm doctor` to compare."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiokafka import TopicPartition
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from crm.adapters.kafka.journal_log import next_positions, position_of
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.engine.state_fold import HEADS
from crm.scalars import Micros
from crm.topics import DECIDED, JOURNAL
from projections import PROJECTIONS
from services.outbound.planning import CONSUMER as OUTBOUND

OUTBOX = "SELECT count(*) FROM core.outbox"
# The relay's lock: streams/relay.py, LEAD.
LEADER = """
SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database AS d ON d.oid = database
WHERE locktype = 'advisory' AND objid = 7068002 AND granted AND datname = current_database())"""
COMPARED = "SELECT EXISTS (SELECT FROM core.compared WHERE server = core.this_server())"
CHECKPOINTS = "SELECT consumer, topic, partition, next_offset, failed FROM core.checkpoint WHERE consumer = ANY (%s)"
QUARANTINED = SQL("""
SELECT count(*), coalesce(mode() WITHIN GROUP (ORDER BY connector), ''),
  coalesce(mode() WITHIN GROUP (ORDER BY reason), '')
FROM read.{table} WHERE quarantined_at > now() - interval '1 hour' AND status = 'waiting'""")
AT_RISK = SQL("""
SELECT at_risk, connector, count(*), (extract(epoch FROM min(received_at)) * 1000000)::bigint
FROM read.{table} WHERE status = 'waiting' AND at_risk <> '' GROUP BY 1, 2 ORDER BY 1, 2""")
# Id of the event that a projection failed at: streams/project.py ends its reason with it.
EVENT = re.compile(r"([0-9a-f]{8}-[0-9a-f-]{27})$")
CONSUMERS = [
    "decide",
    OUTBOUND,
    *(projection.table for projection in PROJECTIONS.values()),
]  # of this release's versions
SILENCE = 20.0  # seconds without a record of Kafka
SEARCHED = 2_000  # records after its checkpoint in which a projection's failed event is searched: four batches

Cursor = tuple[str, str, int]  # consumer, topic, partition


@dataclass(frozen=True)
class AtRisk:
    """Deliveries of one connector that wait in quarantine."""

    risk: str  # lead or payment
    connector: str
    count: int
    since: Micros  # when the oldest of them arrived


@dataclass(frozen=True)
class Snapshot:
    """Journal positions and topic offsets. Each is the next one after the last that exists or was read."""

    journal: Mapping[int, int] = field(default_factory=dict)  # next position of each partition in Kafka
    heads: Mapping[int, int] = field(default_factory=dict)  # the same in Postgres, read before Kafka's
    heads_after: Mapping[int, int] = field(default_factory=dict)  # and again after
    outbox: int = 0  # rows
    leader: bool = True  # a relay holds the leader lock
    compared: bool = True  # since Postgres started, decide or relay compared it with the journal in Kafka
    offsets: Mapping[Cursor, int] = field(default_factory=dict)  # next offset of each consumer
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)  # why a consumer is stopped
    events: Mapping[str, str] = field(default_factory=dict)  # where: "partition 3, position 41"
    quarantined: tuple[int, str, str] = (0, "", "")  # within an hour; the most frequent connector and reason
    at_risk: Sequence[AtRisk] = ()  # everything that waits in quarantine, of any age
    newest: float = 0.0  # timestamp of the newest record of all topics, Unix seconds

    def lags(self) -> dict[Cursor, int]:
        """Returns the records that each consumer still has to read, if any. Leaves out stopped consumers."""
        lags = {cursor: self.ends.get(cursor[1:], 0) - offset for cursor, offset in self.offsets.items()}
        return {cursor: lag for cursor, lag in lags.items() if lag > 0 and cursor[0] not in self.failed}

    def journal_ahead(self) -> dict[int, int]:
        """Returns the number of events per partition that Kafka has and Postgres does not."""
        return {p: n - self.heads_after.get(p, 0) for p, n in self.journal.items() if n > self.heads_after.get(p, 0)}


async def take_snapshot(bootstrap: str, conn: AsyncConnection, journal: str = JOURNAL.name) -> Snapshot:
    """Reads Postgres, then Kafka, then Postgres's heads again, so that progress meanwhile is not taken for a fault."""
    heads: dict[int, int] = dict(await (await conn.execute(HEADS)).fetchall())
    ((outbox,),) = await (await conn.execute(OUTBOX)).fetchall()
    ((leader,),) = await (await conn.execute(LEADER)).fetchall()
    ((compared,),) = await (await conn.execute(COMPARED)).fetchall()
    rows = await (await conn.execute(CHECKPOINTS, [CONSUMERS])).fetchall()
    table = Identifier(PROJECTIONS["quarantine"].table)
    (quarantined,) = await (await conn.execute(QUARANTINED.format(table=table))).fetchall()
    at_risk = await (await conn.execute(AT_RISK.format(table=table))).fetchall()
    found = Snapshot(
        heads=heads,
        outbox=outbox,
        leader=leader,
        compared=compared,
        offsets={(consumer, topic, partition): offset for consumer, topic, partition, offset, _ in rows},
        failed={consumer: why for consumer, _, _, _, why in rows if why},
        quarantined=quarantined,
        at_risk=[AtRisk(*row) for row in at_risk],
    )
    ends, newest = await last_records(bootstrap)
    positions = await next_positions(bootstrap, journal, dict.fromkeys(range(JOURNAL.partitions), 0) | heads)
    events = {consumer: await failed_event(bootstrap, found, consumer) for consumer in found.failed}
    heads_after: dict[int, int] = dict(await (await conn.execute(HEADS)).fetchall())
    return replace(found, journal=positions, heads_after=heads_after, ends=ends, newest=newest, events=events)


async def last_records(bootstrap: str) -> tuple[dict[tuple[str, int], int], float]:
    """Returns the end offset of each partition, and the timestamp of the newest record (Unix seconds)."""
    async with open_consumer(bootstrap) as consumer:
        tps = [TopicPartition(t.name, n) for t in (JOURNAL, *DECIDED) for n in range(t.partitions)]
        ends = await consumer.end_offsets(tps)
        begins = await consumer.beginning_offsets(tps)
        newest_records = {tp: (max(begins[tp], ends[tp] - 1), ends[tp]) for tp in tps}
        newest = 0.0
        async for found in read_range(consumer, newest_records, silence=SILENCE):
            newest = max([newest, *(record.timestamp / 1000 for records in found.values() for record in records)])
    return {(tp.topic, tp.partition): end for tp, end in ends.items()}, newest


async def failed_event(bootstrap: str, snapshot: Snapshot, consumer: str) -> str:
    """Returns the partition and position of the event that stopped a projection; empty when it is not found."""
    if not (named := EVENT.search(snapshot.failed[consumer])):
        return ""
    async with open_consumer(bootstrap) as reader:
        begins = {TopicPartition(t, n): offset for (c, t, n), offset in snapshot.offsets.items() if c == consumer}
        ends = await reader.end_offsets(list(begins))
        searched = {tp: (offset, min(ends[tp], offset + SEARCHED)) for tp, offset in begins.items()}
        async for found in read_range(reader, searched, silence=SILENCE):
            for record in (record for records in found.values() for record in records):
                if ("ce_id", named[1].encode()) in record.headers:
                    return f"partition {record.partition}, position {position_of(record)}"
    return ""
