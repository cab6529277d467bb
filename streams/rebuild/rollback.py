"""Rolls a view back to the table before its last change, and drops old tables."""

from collections.abc import Sequence
from typing import Any

import psycopg

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.errors import Broken
from projections import PROJECTIONS
from streams.cutover.cutover import REMEMBER_SERVED
from streams.rebuild.swap import backup_consumer, exchange
from streams.rebuild.write import tables
from streams.rebuild.write.tables import BEFORE

LAST = "SELECT before_schema, before_table FROM core.served WHERE name = %s"
OLD = """
SELECT schemaname::text, tablename::text FROM pg_tables
WHERE (schemaname = 'read' OR schemaname = %s) AND (tablename ~ ('^' || %s || '_v[0-9]+$')) ORDER BY 1, 2"""
AT = "SELECT count(*), coalesce(sum(position + 1), 0)::bigint FROM core.checkpoint WHERE consumer = %s"
Connection = psycopg.Connection[Any]


def roll_back(dsn: str, names: Sequence[str]) -> list[str]:
    """Rolls these views back. Returns a sentence each. Raises Broken and changes nothing when one cannot be."""
    said = []
    with tables.connected(dsn) as conn:
        for name in names:
            found = conn.execute(LAST, [name]).fetchone()
            before = Served(*found) if found else None
            if before is None or not views.columns(conn, ".".join(before)):
                raise Broken(f"{name} cannot be rolled back: no earlier table is kept. Nothing was changed.")
            said.append(restore(conn, name, before))
    return said


def restore(conn: Connection, name: str, before: Served) -> str:
    """Restores the previous table in the caller's transaction. The project role then folds the events since."""
    projection = PROJECTIONS[name]
    served = views.served(conn, name)
    if before.schema == BEFORE and served == Served("read", before.table):
        return restore_backup(conn, name, before.table)
    views.show(conn, name, before, also=projection)
    conn.execute(REMEMBER_SERVED, [name, *(served or before), True])
    ((_, events),) = conn.execute(AT, [before.table]).fetchall()
    return (
        f"{name} is served from {'.'.join(before)} again, as of {events:,} events. This release does not fold that "
        "version: start the release that does. Starting this release does not switch to the new version; "
        f"`crm rebuild {name}` does."
    )


def restore_backup(conn: Connection, name: str, table: str) -> str:
    """Exchanges both tables of one version with their checkpoints. The project role continues from the old ones."""
    backup, parked = backup_consumer(table), f"{table} swapping"
    exchange(conn, table)
    conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [parked])
    for old, new in ((table, parked), (backup, table), (parked, backup)):
        conn.execute("UPDATE core.checkpoint SET consumer = %s WHERE consumer = %s", [new, old])
    views.show(conn, name, Served("read", table), also=PROJECTIONS[name])
    ((_, events),) = conn.execute(AT, [table]).fetchall()
    return (
        f"{name} is served from the rows before the last rebuild, as of {events:,} events; the project role continues "
        "from there. Run the same command to undo this."
    )


def drop_old(dsn: str, names: Sequence[str]) -> list[str]:
    """Drops the tables that no view shows and this release does not fold. Returns a sentence each."""
    said = []
    with tables.connected(dsn) as conn:
        for name in names:
            keep = {views.served(conn, name), Served("read", PROJECTIONS[name].table)}
            for found in conn.execute(OLD, [BEFORE, name]).fetchall():
                old = Served(*found)
                if old in keep:
                    continue
                tables.drop_table(conn, *old)
                consumer = backup_consumer(old.table) if old.schema == BEFORE else old.table
                conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [consumer])
                said.append(f"Dropped {'.'.join(old)}.")
    return said
