"""Swaps a rebuilt table in: replaces the table that is read, its view and its checkpoints in one transaction.

For a new version only the table and its checkpoints: the view switches once a project role maintains it (see cutover).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres import field_values, views
from crm.adapters.postgres.side_tables import SIDE_TABLES
from crm.adapters.postgres.views import Served
from crm.projection import Projection
from streams.cutover.cutover import PATIENCE, REMEMBER_SERVED
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.write.tables import BEFORE, drop_table

LOCK_CHECKPOINTS = """
SELECT partition, position + 1 FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s
ORDER BY consumer, topic, partition FOR UPDATE"""
SET_CHECKPOINTS = """
INSERT INTO core.checkpoint AS c (consumer, topic, partition, next_offset, position)
SELECT %s, %s, r.partition, r.next_offset, r.position
FROM json_to_recordset(%s) AS r (partition int, next_offset bigint, position bigint)
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, position = excluded.position, failed = NULL"""
BACK_UP_CHECKPOINTS = """
INSERT INTO core.checkpoint (consumer, topic, partition, next_offset, position)
SELECT %s, topic, partition, next_offset, position FROM core.checkpoint WHERE consumer = %s
ON CONFLICT (consumer, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, position = excluded.position"""
AWAIT_CUTOVER = """
INSERT INTO core.built (name, consumer) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET consumer = excluded.consumer, since = now()"""
SWAPPING = "swapping"  # a schema that is empty but during one transaction
Connection = psycopg.Connection[Any]


def backup_consumer(table: str) -> str:
    """Returns the consumer that stores the checkpoints of a replaced table of the same version."""
    return f"{table} {BEFORE}"


def lock_live(conn: Connection, tables: Sequence[str], topic: str) -> dict[int, int]:
    """Opens a transaction that locks the checkpoints of these tables. Returns the next position readers have seen.

    This also ends a running autovacuum before any reader waits; at the swap it would block until it is done.
    """
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format("10s"))
    existing = [table for table in tables if views.columns(conn, f"read.{table}")]
    for table in sorted(existing):
        conn.execute(SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(Identifier("read", table)))
    found: dict[int, int] = {}
    for partition, next_ in conn.execute(LOCK_CHECKPOINTS, [list(tables), topic]).fetchall():
        found[partition] = max(found.get(partition, 0), next_)
    return found


def lock_readers(conn: Connection, names: Sequence[str]) -> None:
    """Locks out readers of these views until the commit.

    Locks first the views, then their tables, in the order of readers: otherwise a reader that holds the view would wait
    for the table, and the swap for the view. Views of custom fields come first, as a question that reads them names
    them first. Raises psycopg.errors.LockNotAvailable when readers do not finish; nothing is changed then.
    """
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    wanted = [f"{name}{suffix}" for suffix in (field_values.SUFFIX, "") for name in sorted(names)]
    existing = [Identifier("read", name) for name in wanted if views.served(conn, name)]
    if existing:
        conn.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(SQL(", ").join(existing)))


def swap_table(
    conn: Connection, projection: Projection[Any], served: Served | None, at: Mapping[int, ReadPosition], topic: str
) -> None:
    """Swaps one table in the caller's transaction. `projection` is the rebuilt one in its own schema.

    Raises psycopg.errors.LockNotAvailable when readers hold the table; nothing is changed then.
    """
    live = replace(projection, schema="read")
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    target = Served("read", projection.table)
    if served == target:  # the same version again: the old rows are kept in their own schema
        conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(BEFORE)))
        drop_table(conn, BEFORE, projection.table)
        move(conn, "read", projection.table, BEFORE)
        conn.execute(REMEMBER_SERVED, [projection.name, BEFORE, projection.table, False])
        conn.execute(BACK_UP_CHECKPOINTS, [backup_consumer(projection.table), projection.table])
    else:
        drop_table(conn, "read", projection.table)
    move(conn, projection.schema, projection.table, "read")
    views.show(conn, projection.name, target if served in (None, target) else served, also=live)
    if served not in (None, target):
        conn.execute(AWAIT_CUTOVER, [projection.name, projection.table])
    set_checkpoints(conn, projection.table, topic, at)
    conn.execute("DELETE FROM core.building WHERE consumer = %s", [projection.table])


def set_checkpoints(conn: Connection, consumer: str, topic: str, at: Mapping[int, ReadPosition]) -> None:
    """Sets the checkpoints from which the project role continues."""
    rows = [
        {"partition": partition, "next_offset": next_.offset, "position": next_.position - 1}
        for partition, next_ in sorted(at.items())
    ]
    conn.execute(SET_CHECKPOINTS, [consumer, topic, msgspec.json.encode(rows).decode()])


def exchange(conn: Connection, table: str) -> None:
    """Exchanges the table that is read with its backup."""
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(SWAPPING)))
    for at, to in (("read", SWAPPING), (BEFORE, "read"), (SWAPPING, BEFORE)):
        move(conn, at, table, to)


def move(conn: Connection, schema: str, table: str, to: str) -> None:
    """Moves a table, its totals and its custom fields to another schema with their indexes, which keep their names."""
    next_to = [f"{table}{side.suffix}" for side in SIDE_TABLES if side.exists(conn, schema, table)]
    for name in [table, *next_to]:
        conn.execute(SQL("ALTER TABLE {} SET SCHEMA {}").format(Identifier(schema, name), Identifier(to)))
