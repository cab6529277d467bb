"""The journal by streams, in Postgres: a card's events in one look-up, where Kafka would give its whole partition.

docs/decisions has why the events themselves are kept there and not their places in Kafka.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres.binary import array
from crm.asof import in_order
from crm.contract.codec import FRAME, READERS, decode
from crm.envelope import Event
from crm.errors import Broken
from crm.projection import Projection
from crm.scalars import Id

DDL = Path(__file__).with_suffix(".sql")
CONSUMER = "history_v1"  # its checkpoints' name
UUID = 36  # characters; `meta` opens every event with its id and its workspace
WORKSPACE = slice(FRAME.size + 2 + UUID, FRAME.size + 2 + 2 * UUID)
LIMIT = 200_000  # events that are folded while somebody waits: about a second
INSTEAD = "Replay them into a table: crm replay FILE.py --until …"

INSERT = """
INSERT INTO core.history (workspace, stream, position, event)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bytea[])"""
KEEP = f"{INSERT} ON CONFLICT DO NOTHING"
OF_STREAMS = """
SELECT event FROM core.history WHERE workspace = %s AND stream = ANY (%s::uuid[]) ORDER BY stream, position LIMIT %s"""
OF_WORKSPACE = """
SELECT event FROM core.history WHERE workspace = %s AND substr(event, 2, 4) = ANY (%b::bytea[])
ORDER BY stream, position LIMIT %s"""
TYPES_OF_STREAMS = """
SELECT event FROM core.history WHERE workspace = %s AND stream = ANY (%s::uuid[])
AND substr(event, 2, 4) = ANY (%b::bytea[]) ORDER BY stream, position"""
WHOLE = """
SELECT event FROM core.history WHERE workspace = %s AND substr(event, 2, 4) = ANY (%b::bytea[])
ORDER BY stream, position"""
REMOVED = "SELECT core.card_of_removed_deal(%s::uuid, %s::text)"
PAGE = 2_000  # events that are decoded at a time


async def keep(conn: AsyncConnection, records: Sequence[Any], new: bool = False) -> None:
    """Journal records as Kafka gave them, undecoded. Is idempotent, unless they are known to be `new`."""
    await conn.execute(
        INSERT if new else KEEP,
        [
            array("uuid", [record.value[WORKSPACE].decode() for record in records]),
            array("uuid", [record.key.decode() for record in records]),
            array("bigint", [position_of(record) for record in records]),
            array("bytea", [record.value for record in records]),
        ],
    )


async def of_row(conn: Any, projection: Projection[Any], workspace: Id, key: Id, limit: int = LIMIT) -> Sequence[Any]:
    """The events that one row is folded from, in their order. Raises Broken past `limit` events of its streams.

    They lie in streams that the row's own ids name (a law that a test holds): the key's, a contact's, a workspace's.
    A row that was taken away names none. Its key may be its stream, and of a deal the state remembers the card; else
    its events are looked for among all of their types.
    """
    ids = [f"{column.name}::text" for column in projection.columns if column.type == "uuid"]
    query = f"SELECT ARRAY[{', '.join(ids)}] FROM read.{projection.name} WHERE {projection.key} = %s AND workspace = %s"
    row = await (await conn.execute(query.encode(), [key, workspace])).fetchone()
    may_be_gone = removable(projection)
    card = only(await (await conn.execute(REMOVED, [workspace, key])).fetchone()) if may_be_gone else None
    if row is None and may_be_gone and card is None:
        if found := await in_streams(conn, projection, workspace, key, {key}, limit):
            return found
        return [e for e in await of_workspace(conn, projection, workspace, limit) if projection.key_of(e) == key]
    streams = {workspace, key, *(id for id in (card, *(only(row) if row else ())) if id)}
    return in_order(await in_streams(conn, projection, workspace, key, streams, limit))


async def in_streams(
    conn: Any, projection: Projection[Any], workspace: Id, key: Id, streams: Collection[Id], limit: int
) -> list[Any]:
    """The events of one row in these streams. Raises Broken past `limit` events of the streams."""
    rows = await (await conn.execute(OF_STREAMS, [workspace, sorted(streams), limit + 1], binary=True)).fetchall()
    if len(rows) > limit:
        raise Broken(f"Its history has more than {limit:,} events. Nothing was folded. {INSTEAD}")
    return [e for e in decoded(rows, frames(projection.handles)) if projection.key_of(e) == key]


async def of_workspace(conn: Any, projection: Projection[Any], workspace: Id, limit: int = LIMIT) -> Sequence[Any]:
    """All events that this projection folds in a workspace. Raises Broken past `limit` of them."""
    wanted = frames(projection.handles)
    parameters = [workspace, sorted(wanted), limit + 1]
    rows = await (await conn.execute(OF_WORKSPACE, parameters, binary=True)).fetchall()
    if len(rows) > limit:
        what = f"The workspace has more than {limit:,} events that {projection.name} is folded from"
        raise Broken(f"{what}. Nothing was folded. {INSTEAD}")
    return in_order(decoded(rows, wanted))


async def pages(conn: Any, types: Iterable[type[Event]], workspace: Id) -> AsyncIterator[list[Any]]:
    """Yields all events of these types in a workspace, stream after stream, each in its order. Needs a transaction."""
    wanted = frames(types)
    async with conn.cursor(name="history", binary=True) as cursor:
        await cursor.execute(WHOLE, [workspace, sorted(wanted)])
        while rows := await cursor.fetchmany(PAGE):
            yield await asyncio.to_thread(decoded, rows, wanted)


async def of_streams(conn: Any, types: Iterable[type[Event]], workspace: Id, streams: Collection[Id]) -> list[Any]:
    """The events of these types in some streams, stream after stream, each in its order."""
    wanted = frames(types)
    rows = await conn.execute(TYPES_OF_STREAMS, [workspace, sorted(streams), sorted(wanted)], binary=True)
    return await asyncio.to_thread(decoded, await rows.fetchall(), wanted)


def removable(projection: Projection[Any]) -> bool:
    """Whether rows can be taken away: the event that does is named so."""
    return f"{projection.name}removed" in {kind.__name__.lower() for kind in projection.handles}


def frames(types: Iterable[type[Event]]) -> set[bytes]:
    """The schema ids, as they lie on the wire, of every shape that these types ever had."""
    wanted = set(types)
    return {id.to_bytes(4, "big") for id, (kind, _) in READERS.items() if kind in wanted}


def decoded(rows: Iterable[Any], wanted: set[bytes]) -> list[Any]:
    """What is of other types stays undecoded."""
    found = (bytes(only(row)) for row in rows)
    return [decode(value) for value in found if value[1:5] in wanted]


def only(row: Any) -> Any:
    """The one column of a row, of whatever kind rows are on this connection."""
    return next(iter(row.values())) if isinstance(row, dict) else row[0]
