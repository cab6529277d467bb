"""Brings a database up to what this version needs: the core tables and each projection's table and view."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

from crm.adapters.postgres import history, search_index, views
from crm.adapters.postgres.read_models import ddl, index_name, view
from crm.adapters.postgres.reader_role import make_role, secured, shown, unsecured, vouch
from crm.adapters.postgres.side_tables import SIDE_TABLES
from crm.errors import Broken
from crm.projection import Projection
from crm.state.shape import FOLDS
from crm.text.phonetics import COLUMN
from crm.topics import JOURNAL

CORE = Path(__file__).with_name("core.sql")
OUTBOUND = Path(__file__).with_name("outbound.sql")
LONG_NAMES = {"timestamptz": "timestamp with time zone"}
NEW = """
INSERT INTO core.folds SELECT %s WHERE NOT EXISTS (SELECT FROM core.folds) AND NOT EXISTS (SELECT FROM core.state)"""
COMPLETE = """
SELECT obj_description(to_regclass(%s), 'pg_class') IS NOT DISTINCT FROM %s AND NOT EXISTS (
  SELECT FROM unnest(%s::text[]) AS name WHERE to_regclass('read.' || name) IS NULL)"""
LOCK = 7_068_001  # one migration at a time


def migrate(dsn: str, projections: Iterable[Projection[Any]]) -> None:
    """Safe to run at every start, by several at once. Raises Broken when a row changed without a new version."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        make_role(conn)
        vouch(conn)
        conn.execute(CORE.read_bytes())
        conn.execute(history.DDL.read_bytes())
        conn.execute(OUTBOUND.read_bytes())
        heads = "INSERT INTO core.journal_head (partition) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING"
        conn.execute(heads, [JOURNAL.partitions - 1])
        conn.execute(NEW, [FOLDS])
        trgm = search_index.install(conn)
        for projection in projections:
            if not complete(conn, projection):
                conn.execute(ddl(projection).encode())
            refuse_a_changed_row(conn, projection)
            for side in SIDE_TABLES:
                side.install(conn, projection)
            (present,) = conn.execute("SELECT to_regclass(%s)", [f"read.{projection.name}"]).fetchone() or (None,)
            if present is None:
                conn.execute(view(projection).encode())
            for side in SIDE_TABLES:
                if side.kept(projection) and not side.is_shown(conn, projection.name):
                    side.show(conn, projection.name, *(views.served(conn, projection.name) or ("", "")))
            search_index.make_searchable(conn, projection, trgm)
        for table in ("core.history", "outbound.delivery"):
            conn.execute(secured(table).encode())
        for name, kind in unsecured(conn):  # it was made before there was row-level security
            conn.execute((shown if kind == "v" else secured)(f"read.{name}").encode())


def complete(conn: psycopg.Connection[Any], projection: Projection[Any]) -> bool:
    """Its table is as `ddl` would leave it. "CREATE INDEX IF NOT EXISTS" waits for all who write before it finds that
    there is nothing to do, and all who want to write wait for it: under live traffic it ended in deadlocks."""
    declared = (*projection.indexes, *projection.lookups)
    names = [projection.table, *(index_name(projection, columns) for columns in declared)]
    return conn.execute(COMPLETE, [f"read.{projection.table}", projection.about, names]).fetchone() == (True,)


def refuse_a_changed_row(conn: psycopg.Connection[Any], projection: Projection[Any]) -> None:
    """Raises Broken when the table of this version was made for another row."""
    query = "SELECT attname::text, format_type(atttypid, -1), attnotnull FROM pg_attribute "
    query += "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attname <> %s"
    present = {tuple(row) for row in conn.execute(query, [f"read.{projection.table}", COLUMN])}
    wanted = {(c.name, LONG_NAMES.get(c.type, c.type), c.required) for c in projection.columns}
    changed = sorted({name for name, _, _ in present ^ (wanted | {("workspace", "uuid", True)})})
    if changed:
        raise Broken(
            f"The row of projection {projection.name} has changed in {', '.join(changed)}, and its version is still "
            f"{projection.version}. Nothing was changed. Raise its version: the new table is filled from the journal."
        )
