"""Deliveries and leases in Postgres, schema `outbound`: written in batches, one statement each."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import json
from psycopg import AsyncConnection

from crm.adapters.postgres.binary import array
from crm.contract.codec import decode
from crm.envelope import Event
from crm.scalars import Id, Micros
from services.outbound.delivery import Delivery, Outcome, Settled, State

PLAN = """
INSERT INTO outbound.delivery AS d
  (id, kind, workspace, target, key, stream, partition, position, previous, type, due_at)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[],
  %s::bigint[], %s::text[], %s::timestamptz[])
ON CONFLICT (id) DO UPDATE SET state = 'waiting', attempts = 0, previous = excluded.previous,
  planned_at = now(), due_at = excluded.due_at, woken = false WHERE d.state <> 'sending'"""
COLUMNS = """id::text, kind, workspace::text, target::text, key::text, stream::text, partition, position, type,
  previous, (extract(epoch FROM due_at) * 1000000)::bigint, attempts, state"""
LOAD = f"""
SELECT {COLUMNS} FROM outbound.delivery WHERE partition = ANY (%s) AND state IN ('waiting', 'sending')
ORDER BY partition, position"""
WOKEN = f"""
WITH woken AS (
  UPDATE outbound.delivery SET woken = false WHERE woken AND partition = ANY (%s) RETURNING *
) SELECT {COLUMNS} FROM woken ORDER BY partition, position"""
# Its condition on the state is not that of the index of what waits: with that index the planner, which does not know
# how many wait, compares each of them with each outcome. So each outcome finds its row by its id.
SETTLE = """
UPDATE outbound.delivery AS d SET state = s.state, attempts = s.attempts, due_at = s.due_at, attempted_at = s.at,
  status = s.status, took_ms = s.took_ms, error = s.error, response = s.response,
  tries = CASE WHEN s.try = '' THEN d.tries ELSE coalesce(d.tries, '[]') || s.try::jsonb END
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::bigint[],
  %s::text[], %s::text[], %s::text[])
  AS s (id, state, attempts, due_at, at, status, took_ms, error, response, try)
WHERE d.id = s.id AND d.state NOT IN ('delivered', 'dead', 'discarded', 'uncertain')"""
# The lease is locked until the mark is on disk: who takes the partition over reads it after that.
HELD = """
SELECT partition FROM outbound.lease WHERE owner = %s AND until > clock_timestamp() AND partition = ANY (%s)
FOR SHARE"""
SENDING = """
UPDATE outbound.delivery SET state = 'sending'
WHERE id = ANY (%s::uuid[]) AND partition = ANY (%s) AND state NOT IN ('delivered', 'dead', 'discarded', 'uncertain')
RETURNING id::text"""
EVENT = "SELECT event FROM core.history WHERE workspace = %s AND stream = %s AND position = %s"
LEASE = """
INSERT INTO outbound.lease AS l SELECT p, %s, now() + %s * interval '1 second' FROM unnest(%s::int[]) AS p
ON CONFLICT (partition) DO UPDATE SET owner = excluded.owner, until = excluded.until,
  term = l.term + (l.owner <> excluded.owner)::int
WHERE l.owner = excluded.owner OR l.until < now() RETURNING partition, term"""
RELEASE = "UPDATE outbound.lease SET until = now() WHERE owner = %s AND partition = ANY (%s)"
IS_SENDING = "SELECT state = 'sending' FROM outbound.delivery WHERE id = %s"
ON_DISK = "SET LOCAL synchronous_commit = on"


async def plan(conn: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Stores deliveries. One that is there already, as after a replay, waits once more."""
    if not deliveries:
        return
    columns: list[tuple[str, list[Any]]] = [
        ("uuid", [d.id for d in deliveries]),
        ("text", [d.kind for d in deliveries]),
        ("uuid", [d.workspace for d in deliveries]),
        ("uuid", [d.target for d in deliveries]),
        ("uuid", [d.key for d in deliveries]),
        ("uuid", [d.stream for d in deliveries]),
        ("bigint", [d.partition for d in deliveries]),
        ("bigint", [d.position for d in deliveries]),
        ("bigint", [d.previous for d in deliveries]),
        ("text", [d.type for d in deliveries]),
        ("timestamptz", [d.due_at or d.event.meta.recorded_at if d.event else d.due_at for d in deliveries]),
    ]
    await conn.execute(PLAN, [array(kind, values) for kind, values in columns])


async def load(conn: AsyncConnection, partitions: Collection[int]) -> list[Delivery]:
    """Returns all that waits in these partitions, in the order of the journal."""
    return [delivery(row) for row in await (await conn.execute(LOAD, [sorted(partitions)])).fetchall()]


async def woken(conn: AsyncConnection, partitions: Collection[int]) -> list[Delivery]:
    """Returns the deliveries that were changed from outside since the last call."""
    return [delivery(row) for row in await (await conn.execute(WOKEN, [sorted(partitions)])).fetchall()]


def delivery(row: Sequence[Any]) -> Delivery:
    id, kind, workspace, target, key, stream, partition, position, type, previous, due_at, attempts, state = row
    ids = id, kind, workspace, target, key, stream
    return Delivery(*ids, partition, position, type, previous, Micros(due_at), attempts, state)


async def event_of(conn: AsyncConnection, one: Delivery) -> Event | None:
    """Returns the event of a delivery; None while the project role has not kept it yet."""
    rows = await conn.execute(EVENT, [one.workspace, one.stream, one.position], binary=True)
    row = await rows.fetchone()
    return decode(bytes(row[0])) if row else None


async def settle(conn: AsyncConnection, settled: Sequence[Settled]) -> None:
    """Stores outcomes. What a person discarded meanwhile stays so."""
    columns: list[tuple[str, list[Any]]] = [
        ("uuid", [s.delivery.id for s in settled]),
        ("text", [s.outcome.state for s in settled]),
        ("bigint", [s.delivery.attempts for s in settled]),
        ("timestamptz", [s.outcome.due_at or s.at for s in settled]),
        ("timestamptz", [s.at for s in settled]),
        ("bigint", [s.outcome.status for s in settled]),
        ("bigint", [round(s.outcome.took_ms) for s in settled]),
        ("text", [clean(s.outcome.error) for s in settled]),
        ("text", [clean(s.outcome.response) for s in settled]),
        ("text", [attempt(s.outcome, s.at) for s in settled]),
    ]
    await conn.execute(SETTLE, [array(kind, values) for kind, values in columns])


def attempt(outcome: Outcome, at: Micros) -> str:
    """Returns what is kept of a failed attempt, as JSON; empty for one that succeeded."""
    if outcome.state is State.DELIVERED or not outcome.counts:
        return ""
    return clean(json.encode([[at, outcome.status, round(outcome.took_ms), outcome.error]]).decode())


def clean(text: str) -> str:
    """Returns a text that Postgres can store."""
    if not text:
        return text
    return text.replace("\0", "").replace("\\u0000", "").encode("utf-8", "replace").decode()


async def mark_sending(conn: AsyncConnection, owner: str, deliveries: Sequence[Delivery]) -> dict[Id, bool]:
    """Stores on disk that attempts begin. Returns whether each may be made, of those whose partition is leased: another
    replica may have taken it over while this one, or Postgres, was frozen."""
    async with conn.transaction():
        await conn.execute(ON_DISK)
        rows = await conn.execute(HELD, [owner, sorted({d.partition for d in deliveries})])
        held = {partition for (partition,) in await rows.fetchall()}
        rows = await conn.execute(SENDING, [[d.id for d in deliveries], sorted(held)])
        begun = {Id(id) for (id,) in await rows.fetchall()}
        return {d.id: d.id in begun for d in deliveries if d.partition in held}


async def lease(conn: AsyncConnection, owner: str, partitions: Collection[int], seconds: float) -> dict[int, int]:
    """Takes or renews leases. Returns the term of each partition that is leased now, which is another one if somebody
    else had the lease meanwhile. Another replica may hold the other partitions."""
    rows = await conn.execute(LEASE, [owner, seconds, sorted(partitions)])
    return dict(await rows.fetchall())


async def release(conn: AsyncConnection, owner: str, partitions: Collection[int]) -> None:
    await conn.execute(RELEASE, [owner, sorted(partitions)])


async def is_sending(conn: AsyncConnection, one: Delivery) -> bool:
    """Whether an attempt was begun of which nothing is known yet."""
    row = await (await conn.execute(IS_SENDING, [one.id])).fetchone()
    return row is not None and bool(row[0])
