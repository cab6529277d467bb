"""Events of the journal in Kafka, folded into the state that decisions work on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres.state import Batch
from crm.envelope import Event
from crm.state import fold

BEGINS = """
SELECT h.partition, coalesce((
  SELECT min(first) FROM core.outbox AS o, unnest(o.partitions, o.firsts) AS s (partition, first)
  WHERE s.partition = h.partition), h.next)
FROM core.journal_head AS h"""
HEADS = "SELECT partition, next FROM core.journal_head"
AT_ONCE = 5_000  # events a transaction
Record = Any  # aiokafka's ConsumerRecord has no types


async def pairs(conn: AsyncConnection, query: str) -> dict[int, int]:
    return dict(await (await conn.execute(query.encode())).fetchall())


async def missing_records(
    bootstrap: str, journal: str, lacking: Mapping[int, tuple[int, int]]
) -> AsyncIterator[Sequence[Record]]:
    """Records of the positions from ... to before ... of each partition, each once and in order, AT_ONCE at most."""
    at = {p: begin for p, (begin, _) in lacking.items()}
    if not at:
        return  # a consumer that was assigned nothing may hang when it stops
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20
    ) as consumer:
        tps = [TopicPartition(journal, p) for p in lacking]
        consumer.assign(tps)
        for tp in tps:
            consumer.seek(tp, at[tp.partition])  # repeats only push a position further back
        while any(at[p] < end for p, (_, end) in lacking.items()):
            found = await asyncio.wait_for(consumer.getmany(timeout_ms=1000, max_records=AT_ONCE), 60)
            new = []
            for tp, records in found.items():
                for record in records:
                    if position_of(record) == at[tp.partition] < lacking[tp.partition][1]:
                        new.append(record)
                        at[tp.partition] += 1
            if new:
                yield new


async def remember(conn: AsyncConnection, events: Sequence[Event]) -> None:
    """Folds them into the state. Raises what a fold raises."""
    batch = Batch(in_order=False)

    def folded(event: Event) -> bool | None:
        try:
            fold(batch.of(event.meta.workspace), event)
        except Exception:
            if not batch.assumed:
                raise
            batch.forget()
            return None
        return True

    await batch.run(conn, events, folded)
    await batch.write(conn)
