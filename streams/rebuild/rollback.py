"""What a change of tables left behind: going back to it, and dropping it."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.errors import Broken
from projections import PROJECTIONS
from streams.cutover.cutover import REMEMBER
from streams.rebuild import swap as swapping
from streams.rebuild.write import tables
from streams.rebuild.write.tables import BEFORE

LAST = "SELECT before_schema, before_table FROM core.served WHERE name = %s"
OLD = """
SELECT schemaname::text, tablename::text FROM pg_tables
WHERE (schemaname = 'read' OR schemaname = %s) AND (tablename ~ ('^' || %s || '_v[0-9]+$')) ORDER BY 1, 2"""
AT = "SELECT count(*), coalesce(sum(position + 1), 0)::bigint FROM core.checkpoint WHERE consumer = %s"
Connection = psycopg.Connection[Any]


def roll_back(dsn: str, names: Sequence[str]) -> list[str]:
    """A sentence each. Raises Broken, and changes nothing, when one has nothing to go back to."""
    said = []
    with tables.connected(dsn) as conn:
        for name in names:
            found = conn.execute(LAST, [name]).fetchone()
            before = Served(*found) if found else None
            if before is None or not views.columns(conn, ".".join(before)):
                raise Broken(f"{name} has nothing to go back to: no earlier table is kept. Nothing was changed.")
            said.append(back(conn, name, before))
    return said


def back(conn: Connection, name: str, before: Served) -> str:
    """In the caller's transaction. What has become of the journal since is read by the project role."""
    projection = PROJECTIONS[name]
    served = views.served(conn, name)
    if before.schema == BEFORE and served == Served("read", before.table):
        return exchange(conn, name, before.table)
    views.show(conn, name, before, also=projection)
    conn.execute(REMEMBER, [name, *(served or before), True])
    ((_, events),) = conn.execute(AT, [before.table]).fetchall()
    return (
        f"{name} is served from {'.'.join(before)} again, as of {events:,} events. This release does not fold that "
        "version: start the release that does. No start of this one goes over to the new version by itself; "
        f"`crm rebuild {name}` does."
    )


def exchange(conn: Connection, name: str, table: str) -> str:
    """Of one version: both tables change places, and the project role goes on from where the old one was."""
    kept = swapping.kept_as(table)
    swapping.exchange(conn, table)
    conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [f"{table} swapping"])
    conn.execute("UPDATE core.checkpoint SET consumer = %s WHERE consumer = %s", [f"{table} swapping", table])
    conn.execute("UPDATE core.checkpoint SET consumer = %s WHERE consumer = %s", [table, kept])
    conn.execute("UPDATE core.checkpoint SET consumer = %s WHERE consumer = %s", [kept, f"{table} swapping"])
    views.show(conn, name, Served("read", table), also=PROJECTIONS[name])
    ((_, events),) = conn.execute(AT, [table]).fetchall()
    return (
        f"{name} is served from the rows before the last rebuild, as of {events:,} events; the project role goes on "
        "from there. The same command goes back again."
    )


def drop_old(dsn: str, names: Sequence[str]) -> list[str]:
    """Tables that no view shows and this release does not fold. A sentence each."""
    said = []
    with tables.connected(dsn) as conn:
        for name in names:
            keep = {views.served(conn, name), Served("read", PROJECTIONS[name].table)}
            for found in conn.execute(OLD, [BEFORE, name]).fetchall():
                old = Served(*found)
                if old in keep:
                    continue
                conn.execute(SQL("DROP TABLE {}").format(Identifier(*old)))
                consumer = swapping.kept_as(old.table) if old.schema == BEFORE else old.table
                conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [consumer])
                said.append(f"Dropped {'.'.join(old)}.")
    return said
