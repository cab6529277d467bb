"""Events into the outbox, at dense positions that are given last of all in the transaction.

A relay that has nothing to do holds the lock DOZING. A writer that cannot have it wakes the relay at its commit; one
that gets it keeps the relay from dozing until then. So nothing waits unseen, and a busy outbox sends no notifications.

A call that begins to ring cannot wait for the relay: its transaction notifies the API, which reads the row here.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection, AsyncCursor

from crm.contract.codec import encode
from crm.envelope import Event
from crm.state.shape import FOLDS
from crm.topics import journal_partition

DOZING = 7_068_004  # an advisory lock
CHANNEL = "outbox"
RINGS = "rings"  # the channel of transactions in which a call began to ring: the row's id, then the workspaces
MOST_ANNOUNCED = 180  # workspaces of a notification, which Postgres limits to 8,000 bytes; others wait for the journal
ROW = "SELECT partitions, firsts, counts, records FROM core.outbox WHERE id = %s"
GIVEN = f"""
WITH locked AS (
  SELECT partition FROM core.journal_head WHERE partition = ANY (%(partitions)s) AND core.must_be_compared({FOLDS})
  ORDER BY partition FOR UPDATE
), wanted AS (
  SELECT * FROM unnest(%(partitions)s::int[], %(counts)s::int[], %(records)b::bytea[]) AS w (partition, count, records)
), taken AS (
  UPDATE core.journal_head AS h SET next = h.next + wanted.count FROM wanted, locked
  WHERE h.partition = wanted.partition AND locked.partition = h.partition
  RETURNING h.partition, h.next - wanted.count AS first
), kept AS (
  INSERT INTO core.outbox (partitions, firsts, counts, records)
  SELECT array_agg(partition), array_agg(first), array_agg(count), array_agg(records)
  FROM taken JOIN wanted USING (partition) RETURNING id
), woken AS MATERIALIZED (
  SELECT CASE WHEN pg_try_advisory_xact_lock_shared({DOZING}) THEN '' ELSE pg_notify('{CHANNEL}', '')::text END
)"""
LAST = "SELECT partition, first + count - 1 FROM taken JOIN wanted USING (partition), woken"
APPEND = f"{GIVEN}\n{LAST}"
ANNOUNCE = f"""{GIVEN}, announced AS MATERIALIZED (
  SELECT pg_notify('{RINGS}', id || %(ringing)s) FROM kept
)
{LAST}, announced"""

Packed = tuple[str, str, str, str, bytes]  # stream, id, source, trace, value: what the relay needs


def packed(event: Event) -> Packed:
    """Raises Malformed when the event cannot be written."""
    meta = event.meta
    return meta.stream, meta.id, meta.source, meta.trace, encode(event)


async def append(
    conn: AsyncConnection, events: Sequence[Packed], ringing: Sequence[str] = ()
) -> AsyncCursor[tuple[int, int]] | None:
    """Call it last in the transaction: the counters stay locked until the commit. `ringing`: workspaces in which a call
    begins to ring, to be announced at the commit.

    The cursor gives each journal partition that got events, and the position of the last of them there; in a pipeline
    only who asks for it waits for it. None without events.
    """
    slices: dict[int, list[Any]] = {}
    for event in events:
        slices.setdefault(journal_partition(event[0]), []).append(event)
    if not slices:
        return None
    partitions = sorted(slices)
    given = {
        "partitions": partitions,
        "counts": [len(slices[p]) for p in partitions],
        "records": [msgspec.msgpack.encode(slices[p]) for p in partitions],
    }
    if not ringing:
        return await conn.execute(APPEND, given)
    return await conn.execute(ANNOUNCE, {**given, "ringing": "".join(f" {one}" for one in ringing[:MOST_ANNOUNCED])})


async def row(conn: AsyncConnection, id: int) -> list[tuple[int, int, int, bytes]]:
    """Returns the slices of a transaction: partition, first position, number of events, records. None are left when the
    relay has carried them to Kafka."""
    found = await (await conn.execute(ROW, [id])).fetchone()
    return list(zip(*found, strict=True)) if found else []
