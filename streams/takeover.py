"""Takes over what an earlier release left undecided on the topics of each type, in the order in which it was sent.

Before decision 35 the open API wrote each type of fact to a topic of its own, between which Kafka has no order. At the
first start of decide after that, the facts of one sender that still wait there are merged by their moments and decided
before everything else. The loop then finds that it has seen them.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import structlog
from aiokafka import TopicPartition
from psycopg import AsyncConnection

from crm.adapters.kafka.reading import open_consumer, read_range
from crm.decisions.delivery import decode_fact
from crm.engine.decide_batch import Arrived, decide
from crm.errors import Malformed
from crm.scalars import Id, Micros
from crm.topics import INTAKE
from crm.versions import OPEN_API
from streams.runtime.checkpoints import Record
from streams.runtime.sessions import REFUSED, connect

OPEN = INTAKE["facts"]
FORMER = tuple(topic for topic in INTAKE.values() if topic is not OPEN)
MOST = 200_000  # records that are merged; the memory of a role is limited
BATCH = 500  # facts of one transaction
LOCK = 7_068_035  # one replica takes over, the others wait
UNDER_WAY = "SELECT 1 FROM core.checkpoint WHERE consumer = 'decide' AND topic = %s AND next_offset > 0 LIMIT 1"
READ = "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide' AND topic = ANY (%s)"
log = structlog.get_logger()


async def ensure(bootstrap: str, dsn: str) -> int:
    """Returns how many facts were decided. Nothing is done once decide has read something of the open API's topic."""
    async with await connect(dsn) as conn:
        if await (await conn.execute(UNDER_WAY, [OPEN.name])).fetchone():
            return 0
        await conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        waiting = in_order(await undecided(conn, bootstrap))
        try:
            for start in range(0, len(waiting), BATCH):
                async with conn.pipeline(), conn.transaction():
                    await decide(conn, waiting[start : start + BATCH])
        except REFUSED as error:
            log.warning("the takeover ends early: the loop keeps apart what Postgres refuses", error=repr(error))
        if waiting:
            log.info("facts of an earlier release are decided in the order of their senders", facts=len(waiting))
        return len(waiting)


async def undecided(conn: AsyncConnection, bootstrap: str) -> list[Arrived]:
    """Returns the facts of the open API that wait on the former topics; none when too much waits there."""
    places = await (await conn.execute(READ, [[topic.name for topic in FORMER]])).fetchall()
    decided = {TopicPartition(topic, number): offset for topic, number, offset in places}
    partitions = [TopicPartition(topic.name, number) for topic in FORMER for number in range(topic.partitions)]
    found: list[Arrived] = []
    async with open_consumer(bootstrap) as consumer:
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        ranges = {tp: (max(decided.get(tp, 0), begins[tp]), ends[tp]) for tp in partitions}
        if (count := sum(end - begin for begin, end in ranges.values())) > MOST:
            log.warning("too much waits to be merged: each type is decided in its own order", records=count, most=MOST)
            return []
        async for fetched in read_range(consumer, ranges):
            for records in fetched.values():
                found += facts_in(records)
    return found


def facts_in(records: Iterable[Record]) -> Iterator[Arrived]:
    """Yields what the open API was sent. What cannot be read is left to the loop."""
    for record in records:
        try:
            fact = decode_fact(record.value or b"")
        except Malformed:
            continue
        if fact.meta.actor == OPEN_API:
            yield Arrived(fact, record.topic, record.partition, record.offset)


def in_order(found: Sequence[Arrived]) -> list[Arrived]:
    """Returns the facts sender by sender. Facts of one type keep their order, others are merged by their moments."""
    senders: dict[tuple[Id, Id], dict[str, list[Arrived]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        senders[one.fact.meta.workspace, one.fact.meta.stream][one.topic].append(one)
    merged = [list(heapq.merge(*topics.values(), key=moment)) for topics in senders.values()]
    return [one for those in sorted(merged, key=lambda those: moment(those[0])) for one in those]


def moment(one: Arrived) -> tuple[Micros, Micros]:
    """When it was received; lines of one request by when they happened."""
    return one.fact.meta.recorded_at, one.fact.meta.occurred_at
