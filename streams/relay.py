"""The relay role, the journal's only writer: carries the outbox to Kafka in position order.

Kafka's last record says where to go on. Position n is published only after n - 1, with one batch a partition in
flight, so whatever position ends the log, all before it came earlier and in order. A relay that was frozen and wakes up
may repeat a batch at the end; the next one looks further back then. With plain `send` several batches queue: one that
expires while a later one lands would leave a gap.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from psycopg import AsyncConnection

from crm.adapters.logs import debugging
from crm.adapters.metrics import BACKLOG, PUBLISHED
from crm.codec import TYPE_NAMES, type_of
from crm.errors import Broken
from crm.settings import Settings
from crm.topics import JOURNAL
from streams.checkpoints import position_of
from streams.role import run

LEAD = "SELECT pg_try_advisory_lock(7068002)"
SLICES = """
SELECT o.partition, o.first, o.records FROM unnest(%s::int[], %s::bigint[]) AS want (partition, position)
CROSS JOIN LATERAL (
  SELECT * FROM core.outbox WHERE partition = want.partition AND first + count > want.position AND first >= (
    SELECT coalesce(max(first), 0) FROM core.outbox WHERE partition = want.partition AND first <= want.position)
  ORDER BY first LIMIT 64
) AS o"""
PURGE = """
DELETE FROM core.outbox AS o USING unnest(%s::int[], %s::bigint[]) AS done (partition, position)
WHERE o.partition = done.partition AND o.first + o.count <= done.position"""
HEADS = "SELECT partition, next FROM core.journal_head"
BEGINS = """
SELECT h.partition, coalesce((SELECT min(first) FROM core.outbox AS o WHERE o.partition = h.partition), h.next)
FROM core.journal_head AS h"""
REPEATED = 100_000  # records of a partition that frozen relays may have repeated at its end
BUSY, IDLE, PURGE_EVERY = 0.003, 0.02, 2.0  # seconds; looking costs less than NOTIFY and is no slower
# The plan is made while the outbox is empty; a frozen leader must lose its lock.
SESSION = (
    "-c idle_session_timeout=10s -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off "
    "-c statement_timeout=30s"
)

log = structlog.get_logger()


class Relay:
    """One leads, the others wait for its lock. `topic` has the journal's partitions."""

    def __init__(self, settings: Settings, topic: str = JOURNAL.name) -> None:
        self.settings, self.topic = settings, topic
        self.waits: str | None = "relay has not asked for the lead yet"
        self.at: dict[int, int] = {}  # the next position of each partition

    def missing(self) -> str | None:
        return self.waits

    async def run(self) -> None:
        """Until cancelled; any error ends the process and a standby takes over."""
        conn = await AsyncConnection.connect(self.settings.database_url, autocommit=True, options=SESSION)
        async with conn:
            while not (await (await conn.execute(LEAD)).fetchone() or (False,))[0]:
                self.waits = None  # a standby is ready to take over
                await asyncio.sleep(0.5)
            bootstrap = self.settings.kafka_bootstrap
            begins: dict[int, int] = dict(await (await conn.execute(BEGINS)).fetchall())
            self.at = await next_positions(bootstrap, self.topic, begins)
            producer = AIOKafkaProducer(
                bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=1_000_000, linger_ms=0
            )
            async with producer:
                log.info("relay leads", next_positions=sum(self.at.values()))
                self.waits = None
                await self.lead(conn, producer)

    async def lead(self, conn: AsyncConnection, producer: AIOKafkaProducer) -> None:
        purged, pause = 0.0, BUSY
        while True:
            slices = await (await conn.execute(SLICES, [list(self.at), list(self.at.values())])).fetchall()
            if slices:
                PUBLISHED.inc(await self.publish(producer, slices))
            if time.monotonic() - purged > PURGE_EVERY:
                purged = time.monotonic()
                await conn.execute(PURGE, [list(self.at), list(self.at.values())])
                heads = await (await conn.execute(HEADS)).fetchall()
                BACKLOG.set(sum(next - self.at[partition] for partition, next in heads))
            pause = BUSY if slices else min(IDLE, pause * 1.4)  # the next batch is rarely far behind the last
            await asyncio.sleep(pause)

    async def publish(self, producer: AIOKafkaProducer, slices: list[Any]) -> int:
        """At most one batch a partition, awaited: a batch that fails leaves no later one behind it."""
        batches: dict[int, Any] = {}
        full: set[int] = set()
        sent = 0
        after = dict(self.at)
        for partition, first, records in slices:
            if first > after[partition] and partition not in full:
                raise Broken(
                    f"Journal partition {partition}: Kafka ends before position {after[partition]}, "
                    f"the outbox begins at {first}. Nothing was published. Restore the journal's end from an archive."
                )
            batch = batches.get(partition) or batches.setdefault(partition, producer.create_batch())
            for position, (stream, id, source, trace, value) in enumerate(unpack(records), first):
                if partition in full or position < after[partition]:
                    continue
                headers = envelope(id, source, trace, value, position)
                if batch.append(key=stream.encode(), value=value, timestamp=None, headers=headers) is None:
                    full.add(partition)
                    continue
                after[partition] = position + 1
                sent += 1
        acks = [await producer.send_batch(b, self.topic, partition=p) for p, b in batches.items() if b.record_count()]
        for ack in acks:
            await ack
        if debugging():
            self.tell(slices, after)
        self.at = after
        return sent

    def tell(self, slices: list[Any], after: dict[int, int]) -> None:
        """A line for each event that Kafka has now."""
        for partition, first, records in slices:
            for position, (stream, id, *_) in enumerate(unpack(records), first):
                if self.at[partition] <= position < after[partition]:
                    log.debug("published", event_id=id, stream=stream, partition=partition, position=position)


def unpack(records: bytes) -> list[Any]:
    return msgspec.msgpack.decode(records)  # type: ignore[no-any-return]  # written by crm.adapters.journal


def envelope(id: str, source: str, trace: str, value: bytes, position: int) -> list[tuple[str, bytes]]:
    """CloudEvents' Kafka binding names, and the position, which is only known at commit."""
    kind = type_of(value)
    headers = [
        ("ce_id", id.encode()),
        ("ce_type", TYPE_NAMES[kind].encode() if kind else b""),
        ("ce_source", source.encode()),
        ("content-type", b"application/avro"),
        ("position", str(position).encode()),
    ]
    return [*headers, ("traceparent", trace.encode())] if trace else headers


async def next_positions(bootstrap: str, topic: str, begins: Mapping[int, int]) -> dict[int, int]:
    """What comes after the highest position in each partition.

    That is the last one's, unless it is lower than where the outbox begins: then repeats may lie at the end.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
    async with consumer:
        tps = [TopicPartition(topic, p) for p in begins]
        consumer.assign(tps)
        at = dict.fromkeys(begins, 0)
        for tp, end in (await consumer.end_offsets(tps)).items():
            for back in (1, REPEATED):
                if back == 1 or at[tp.partition] < begins[tp.partition]:
                    at[tp.partition] = await highest(consumer, tp, max(0, end - back), end) + 1
        return at


async def highest(consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int, end: int) -> int:
    """The highest position among the records from `begin` to `end`; -1 if there are none."""
    consumer.seek(tp, begin)
    found = -1
    while await consumer.position(tp) < end:
        records = (await asyncio.wait_for(consumer.getmany(tp, timeout_ms=1000), 10)).get(tp, ())
        found = max([found, *map(position_of, records)])
    return found


if __name__ == "__main__":
    run("relay", Relay)
