"""Webhooks and their cursors in Postgres: what they ask for, and how far the journal was planned for each."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, json
from psycopg import AsyncConnection

from crm.adapters.postgres.binary import array
from crm.scalars import Id
from services.outbound.webhooks.subscription import Subscription

NOT_FOUND = -1  # a cursor's position that is still to be looked up, by the moment from which it starts
VERSION = "SELECT number FROM outbound.version"
CHANGED = "UPDATE outbound.version SET number = number + 1"
WEBHOOKS = "SELECT value::text, failing_since IS NOT NULL FROM outbound.webhook"
ONE = "SELECT value::text FROM outbound.webhook WHERE webhook_id = %s"
PUT = """
INSERT INTO outbound.webhook (webhook_id, value) VALUES (%s, %s::jsonb)
ON CONFLICT (webhook_id) DO UPDATE SET value = excluded.value"""
CURSORS = "SELECT target::text, partition, live, next, previous FROM outbound.cursor"
BEHIND = f"{CURSORS} WHERE partition = %s AND NOT live ORDER BY target FOR UPDATE"
MOVE = """
UPDATE outbound.cursor AS c SET live = m.live, next = m.next, previous = m.previous
FROM unnest(%s::uuid[], %s::bigint[], %s::boolean[], %s::bigint[], %s::bigint[])
  AS m (target, partition, live, next, previous)
WHERE c.target = m.target AND c.partition = m.partition"""
SET = """
INSERT INTO outbound.cursor SELECT %s, p - 1, false, next, NULL FROM unnest(%s::bigint[]) WITH ORDINALITY AS n (next, p)
ON CONFLICT (target, partition) DO UPDATE SET live = false, next = excluded.next, previous = NULL"""
REMOVE = ("DELETE FROM outbound.webhook WHERE webhook_id = %s", "DELETE FROM outbound.cursor WHERE target = %s")
DROP = """
UPDATE outbound.delivery SET state = 'discarded', woken = true WHERE target = %s AND state IN ('waiting', 'sending')"""
AGAIN = """
UPDATE outbound.delivery SET state = 'waiting', woken = true, attempts = 0, due_at = now()
WHERE target = %s AND CASE WHEN %s::uuid[] = '{}' THEN state IN ('dead', 'uncertain')
  ELSE id = ANY (%s::uuid[]) AND state NOT IN ('waiting', 'sending') END"""
DISCARD = """
UPDATE outbound.delivery SET state = 'discarded'
WHERE target = %s AND state IN ('dead', 'uncertain') AND (%s::uuid[] = '{}' OR id = ANY (%s::uuid[]))"""
FAILING = """
UPDATE outbound.webhook SET failing_since = CASE WHEN s.ok THEN NULL ELSE coalesce(failing_since, now()) END
FROM unnest(%s::uuid[], %s::boolean[]) AS s (id, ok) WHERE webhook_id = s.id AND s.ok = (failing_since IS NOT NULL)"""
FAILED_LONG = """
SELECT webhook_id::text, extract(epoch FROM failing_since)::bigint FROM outbound.webhook
WHERE failing_since < now() - %s * interval '1 second'"""


class Cursor(Struct, frozen=True):
    """`next`: the first position that was not planned, where it is not live."""

    live: bool
    next: int
    previous: int | None = None


Key = tuple[Id, int]  # a webhook and a journal partition
Cursors = Mapping[Key, Cursor]


async def version(conn: AsyncConnection) -> int:
    row = await (await conn.execute(VERSION)).fetchone()
    return int(row[0]) if row else 0


async def load(conn: AsyncConnection) -> tuple[list[Subscription], dict[Key, Cursor], set[Id]]:
    """Returns all webhooks, all cursors, and the webhooks that fail."""
    found = [(read(text), failing) for text, failing in await (await conn.execute(WEBHOOKS)).fetchall()]
    rows = await (await conn.execute(CURSORS)).fetchall()
    cursors = {(Id(target), partition): Cursor(*rest) for target, partition, *rest in rows}
    return [one for one, _ in found], cursors, {one.id for one, failing in found if failing}


async def webhook(conn: AsyncConnection, id: Id) -> Subscription | None:
    row = await (await conn.execute(ONE, [id])).fetchone()
    return read(row[0]) if row else None


async def put(conn: AsyncConnection, one: Subscription) -> None:
    await conn.execute(PUT, [one.id, json.encode(one).decode()])


def read(text: str) -> Subscription:
    return json.decode(text, type=Subscription)


async def behind(conn: AsyncConnection, partition: int) -> dict[Id, Cursor]:
    """Returns the cursors of a partition that are not live, locked."""
    rows = await (await conn.execute(BEHIND, [partition])).fetchall()
    return {Id(target): Cursor(*rest) for target, _, *rest in rows}


async def move(conn: AsyncConnection, moved: Cursors) -> None:
    if moved:
        given = [
            array("uuid", [target for target, _ in moved]),
            array("bigint", [partition for _, partition in moved]),
            array("boolean", [cursor.live for cursor in moved.values()]),
            array("bigint", [cursor.next for cursor in moved.values()]),
            array("bigint", [cursor.previous for cursor in moved.values()]),
        ]
        await conn.execute(MOVE, given)


async def reset(conn: AsyncConnection, target: Id, positions: Sequence[int]) -> None:
    """Sets the cursors of a webhook: the next position of each partition, from 0 on."""
    await conn.execute(SET, [target, list(positions)])


async def remove(conn: AsyncConnection, id: Id) -> None:
    for statement in (*REMOVE, DROP):
        await conn.execute(statement, [id])


async def settle(conn: AsyncConnection, target: Id, again: bool, ids: Collection[Id]) -> None:
    """Sends deliveries again, or discards them: those named, else all that were given up."""
    await conn.execute(AGAIN if again else DISCARD, [target, list(ids), list(ids)])


async def changed(conn: AsyncConnection) -> None:
    await conn.execute(CHANGED)


async def note_health(conn: AsyncConnection, health: Iterable[tuple[Id, bool]]) -> None:
    """Notes of each webhook whether something arrived there."""
    given = dict(health)
    await conn.execute(FAILING, [array("uuid", list(given)), array("boolean", list(given.values()))])


async def failed_long(conn: AsyncConnection, seconds: int) -> list[tuple[Id, int]]:
    """Returns the webhooks at which nothing arrived for so long, and since when, Unix seconds."""
    return [(Id(id), since) for id, since in await (await conn.execute(FAILED_LONG, [seconds])).fetchall()]
