"""Events into the outbox, at dense positions that are given last of all in the transaction."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection

from crm.codec import encode
from crm.envelope import Event
from crm.topics import journal_partition

TAKE = """
WITH locked AS (
  SELECT partition FROM core.journal_head WHERE partition = ANY (%s) ORDER BY partition FOR UPDATE
)
UPDATE core.journal_head AS h SET next = h.next + wanted.count
FROM unnest(%s::int[], %s::int[]) AS wanted (partition, count), locked
WHERE h.partition = wanted.partition AND locked.partition = h.partition
RETURNING h.partition, h.next - wanted.count"""
WRITE = """
INSERT INTO core.outbox (partition, first, count, records)
SELECT * FROM unnest(%s::int[], %s::bigint[], %s::int[], %b::bytea[])"""

Packed = tuple[str, str, str, str, bytes]  # stream, id, source, trace, value: what the relay needs


def packed(event: Event) -> Packed:
    """Raises Malformed when the event cannot be written."""
    meta = event.meta
    return meta.stream, meta.id, meta.source, meta.trace, encode(event)


async def append(conn: AsyncConnection, events: Sequence[Packed]) -> dict[int, int]:
    """Call it last in the transaction: the counters stay locked until the commit.

    Returns the position of the last event in each journal partition that got any.
    """
    slices: dict[int, list[Any]] = {}
    for event in events:
        slices.setdefault(journal_partition(event[0]), []).append(event)
    if not slices:
        return {}
    partitions = sorted(slices)
    counts = [len(slices[p]) for p in partitions]
    first: dict[int, int] = dict(await (await conn.execute(TAKE, [partitions, partitions, counts])).fetchall())
    records = [msgspec.msgpack.encode(slices[p]) for p in partitions]
    await conn.execute(WRITE, [partitions, [first[p] for p in partitions], counts, records])
    return {p: first[p] + len(slices[p]) - 1 for p in partitions}
