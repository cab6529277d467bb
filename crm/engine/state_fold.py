"""Folds events of the journal in Kafka into the state that decisions work on."""

from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import TopicPartition
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.kafka.reading import NO_END, Record, open_consumer, read_range
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


async def pairs(conn: AsyncConnection, query: str) -> dict[int, int]:
    return dict(await (await conn.execute(query.encode())).fetchall())


async def missing_records(
    bootstrap: str, journal: str, lacking: Mapping[int, tuple[int, int]]
) -> AsyncIterator[Sequence[Record]]:
    """Yields the records of each partition's positions [from, until), each once, in order, AT_ONCE at most."""
    at = {p: begin for p, (begin, _) in lacking.items()}
    ranges = {TopicPartition(journal, p): (begin, NO_END) for p, begin in at.items()}  # repeats move positions back
    async with open_consumer(bootstrap, fetch_max_wait_ms=20) as consumer:
        async for fetch in read_range(consumer, ranges, AT_ONCE):
            new = []
            for tp, records in fetch.items():
                for record in records:
                    if position_of(record) == at[tp.partition] < lacking[tp.partition][1]:
                        new.append(record)
                        at[tp.partition] += 1
            if new:
                yield new
            if all(at[p] == end for p, (_, end) in lacking.items()):
                return


async def remember(conn: AsyncConnection, events: Sequence[Event]) -> None:
    """Folds events into the state. Raises what a fold raises."""
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
