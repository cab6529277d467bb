"""Replies on their way and the pace of each connection, in Postgres: shared by all replicas."""

from collections.abc import Collection, Sequence

from msgspec import Struct
from psycopg import AsyncConnection

from crm.events import ReplyQueued
from crm.scalars import Id, Micros
from services.outbound.delivery import Delivery, Recorded

AT = "to_timestamp(%s / 1000000.0)"
ADD = f"""
INSERT INTO outbound.reply
  (message, workspace, connection, conversation, stream, partition, position, type, since, doubted)
SELECT %s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::uuid, %s, %s, %s, {AT}, {AT} < m.at FROM outbound.made m
ON CONFLICT DO NOTHING RETURNING doubted"""
COLUMNS = (
    "message::text, workspace::text, connection::text, conversation::text, stream::text, partition, position, type"
)
AGAIN = f"""
UPDATE outbound.reply SET attempt = %s, since = {AT}, doubted = {AT} < (SELECT at FROM outbound.made) WHERE message = %s
RETURNING {COLUMNS}, doubted"""
SENT = "UPDATE outbound.reply SET doubted = false WHERE message = ANY (%s::uuid[]) AND doubted"
OVER = """
UPDATE outbound.delivery SET state = 'discarded', woken = true
WHERE id = ANY (%s::uuid[]) AND kind = %s AND state = 'waiting'"""
OF = "SELECT attempt, (extract(epoch FROM since) * 1000000)::bigint FROM outbound.reply WHERE message = %s"
DOUBTED = f"""
SELECT {COLUMNS}, attempt FROM outbound.reply WHERE doubted AND partition = ANY (%s) LIMIT 500"""
RESERVE = """
INSERT INTO outbound.pace AS p
SELECT k, now() + g * interval '1 second' FROM unnest(%s::text[], %s::float8[]) AS t (k, g) ORDER BY k
ON CONFLICT (key) DO UPDATE SET free_at = greatest(p.free_at, now()) + (excluded.free_at - now())
RETURNING key, extract(epoch FROM free_at - now())::float8"""
PAUSE = """
INSERT INTO outbound.pace AS p SELECT k, now() + %s * interval '1 second' FROM unnest(%s::text[]) AS k ORDER BY k
ON CONFLICT (key) DO UPDATE SET free_at = greatest(p.free_at, excluded.free_at)"""
PAUSED = "SELECT EXISTS (SELECT FROM outbound.pace WHERE key = %s AND free_at > now())"


class Progress(Struct, frozen=True):
    """Which attempt a reply is at, and since when it waits for it."""

    attempt: int
    since: Micros


async def add(conn: AsyncConnection, recorded: Recorded, reply: ReplyQueued, type: str) -> bool:
    """Stores a reply. Returns whether it may be sent: not one that is known, nor one from before this database."""
    ids = reply.message_id, reply.meta.workspace, reply.connection_id, reply.conversation_id, reply.meta.stream
    at = reply.meta.recorded_at
    rows = await conn.execute(ADD, [*ids, recorded.partition, recorded.position, type, at, at])
    row = await rows.fetchone()
    return row is not None and not row[0]


async def again(conn: AsyncConnection, message: Id, attempt: int, at: Micros, kind: str) -> Delivery | None:
    """Returns the delivery of a reply that somebody had sent again; None for one that may not be sent by itself."""
    row = await (await conn.execute(AGAIN, [attempt, at, at, message])).fetchone()
    if row is None or row[-1]:
        return None
    id, workspace, connection, conversation, stream, partition, position, type, _ = row
    ids = Id(id), kind, Id(workspace), Id(connection), Id(conversation), Id(stream)
    return Delivery(*ids, partition, position, type, due_at=at)


async def settled(conn: AsyncConnection, messages: Collection[Id], kind: str) -> None:
    """What the journal says of a reply is in no doubt, and what still waits of it is not sent: so it is with a journal
    that is read again, and with a channel that reports what nobody here knew to be sent."""
    if messages:
        await conn.execute(SENT, [list(messages)])
        await conn.execute(OVER, [list(messages), kind])


async def progress(conn: AsyncConnection, message: Id) -> Progress | None:
    row = await (await conn.execute(OF, [message])).fetchone()
    return Progress(row[0], Micros(row[1])) if row else None


async def doubted(conn: AsyncConnection, partitions: Collection[int]) -> Sequence[tuple[Delivery, int]]:
    """Returns what nobody knows of, each with its attempt."""
    rows = await (await conn.execute(DOUBTED, [sorted(partitions)])).fetchall()
    return [
        (Delivery(Id(m), "", Id(w), Id(c), Id(v), Id(s), partition, position, type), attempt)
        for m, w, c, v, s, partition, position, type, attempt in rows
    ]


async def reserve(conn: AsyncConnection, gaps: dict[str, float]) -> float:
    """Takes the next free moment of each key, `gap` seconds before the one after. Returns the seconds until then."""
    if not gaps:
        return 0.0
    rows = await (await conn.execute(RESERVE, [list(gaps), list(gaps.values())])).fetchall()
    return max([0.0, *(float(free) - gaps[key] for key, free in rows)])


async def pause(conn: AsyncConnection, key: str, seconds: float) -> None:
    """Lets nothing more go out for so long, from any replica: also not at a moment that was taken before."""
    await conn.execute(PAUSE, [seconds, [key, paused_key(key)]])


async def paused(conn: AsyncConnection, key: str) -> bool:
    row = await (await conn.execute(PAUSED, [paused_key(key)])).fetchone()
    return row is not None and bool(row[0])


def paused_key(key: str) -> str:
    return f"{key}/paused"
