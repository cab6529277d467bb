"""The new table takes the place of the one that is read: tables, view and checkpoints change in one transaction.

Of another version only the table and its checkpoints: the view goes over when a project role moves it (`showing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.projection import Projection
from streams.cutover.cutover import PATIENCE, REMEMBER
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.write.tables import BEFORE

LOCK_CHECKPOINTS = """
SELECT partition, position + 1 FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s
ORDER BY consumer, topic, partition FOR UPDATE"""
HAND_OVER = """
INSERT INTO core.checkpoint AS c (consumer, topic, partition, next_offset, position)
SELECT %s, %s, r.partition, r.next_offset, r.position
FROM json_to_recordset(%s) AS r (partition int, next_offset bigint, position bigint)
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, position = excluded.position, failed = NULL"""
KEEP_PLACE = """
INSERT INTO core.checkpoint (consumer, topic, partition, next_offset, position)
SELECT %s, topic, partition, next_offset, position FROM core.checkpoint WHERE consumer = %s
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, position = excluded.position"""
WAIT = """
INSERT INTO core.built (name, consumer) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET consumer = excluded.consumer, since = now()"""
SWAPPING = "swapping"  # a schema that is empty outside of one transaction
Connection = psycopg.Connection[Any]


def kept_as(table: str) -> str:
    """The consumer that remembers how far a replaced table of the same version was."""
    return f"{table} {BEFORE}"


def lock_live(conn: Connection, tables: Sequence[str], topic: str) -> dict[int, int]:
    """Opens a transaction in which nobody moves these tables; gives the next position that readers have seen.

    An autovacuum of a table ends here, before anybody waits: at the swap it would be in the way for all its time.
    """
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format("10s"))
    there = [table for table in tables if views.columns(conn, f"read.{table}")]
    for table in sorted(there):
        conn.execute(SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(Identifier("read", table)))
    found: dict[int, int] = {}
    for partition, next_ in conn.execute(LOCK_CHECKPOINTS, [list(tables), topic]).fetchall():
        found[partition] = max(found.get(partition, 0), next_)
    return found


def lock_readers(conn: Connection, names: Sequence[str]) -> None:
    """Nobody reads these from here on. First the views, then their tables, as readers do: the other way round one that
    has come as far as the view would wait for the table, and the change for the view.

    Raises psycopg.errors.LockNotAvailable when readers do not end: nothing is changed then.
    """
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    there = [Identifier("read", name) for name in sorted(names) if views.served(conn, name)]
    if there:
        conn.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(SQL(", ").join(there)))


def swap(
    conn: Connection, projection: Projection[Any], served: Served | None, places: Mapping[int, Begin], topic: str
) -> None:
    """In the caller's transaction. `projection` is the one that was built, in its schema.

    Raises psycopg.errors.LockNotAvailable when readers hold the table: nothing is changed then.
    """
    live = replace(projection, schema="read")
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    target = Served("read", projection.table)
    if served == target:  # the same version again: the old rows are kept in a schema of their own
        conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(BEFORE)))
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(BEFORE, projection.table)))
        move(conn, "read", projection.table, BEFORE)
        conn.execute(REMEMBER, [projection.name, BEFORE, projection.table, False])
        conn.execute(KEEP_PLACE, [kept_as(projection.table), projection.table])
    else:
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("read", projection.table)))
    move(conn, projection.schema, projection.table, "read")
    views.show(conn, projection.name, target if served in (None, target) else served, also=live)
    if served not in (None, target):
        conn.execute(WAIT, [projection.name, projection.table])
    hand_over(conn, projection.table, topic, places)
    conn.execute("DELETE FROM core.building WHERE consumer = %s", [projection.table])


def hand_over(conn: Connection, consumer: str, topic: str, places: Mapping[int, Begin]) -> None:
    """The project role goes on from there."""
    moved = [
        {"partition": partition, "next_offset": at.offset, "position": at.position - 1}
        for partition, at in sorted(places.items())
    ]
    conn.execute(HAND_OVER, [consumer, topic, msgspec.json.encode(moved).decode()])


def exchange(conn: Connection, table: str) -> None:
    """What is read and what was before change places."""
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(SWAPPING)))
    for at, to in (("read", SWAPPING), (BEFORE, "read"), (SWAPPING, BEFORE)):
        move(conn, at, table, to)


def move(conn: Connection, schema: str, table: str, to: str) -> None:
    """With its indexes, which keep their names."""
    conn.execute(SQL("ALTER TABLE {} SET SCHEMA {}").format(Identifier(schema, table), Identifier(to)))
