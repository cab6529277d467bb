"""The view that readers name: which version it serves, and how it switches to another one.

While a view still serves the version before, it has the columns that the new one brings, empty: a reader of the new
release finds every column that it asks for. After the change it keeps those that the new version lost, for readers of
the release before.
"""

from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from crm.adapters.postgres.reader_role import shown
from crm.adapters.postgres.side_tables import SIDE_TABLES
from crm.projection import Projection

SERVED = """
SELECT n.nspname::text, c.relname::text FROM pg_rewrite AS r
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'r' JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_class = to_regclass(%s) LIMIT 1"""
COLUMNS = """
SELECT attname::text, format_type(atttypid, atttypmod) || coalesce(' COLLATE ' || quote_ident(c.collname), ''),
  attnotnull
FROM pg_attribute LEFT JOIN pg_collation AS c ON c.oid = attcollation AND c.collname <> 'default'
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
KEEP = """
INSERT INTO core.shown VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET consumer = excluded.consumer"""
OPTIONS = "SELECT coalesce(reloptions, '{}') FROM pg_class WHERE oid = to_regclass(%s)"
EMPTY = {
    "text": "",
    "bigint": "0",
    "boolean": "false",
    "timestamp with time zone": "epoch",
    "text[]": "{}",
    "jsonb": "{}",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
Connection = psycopg.Connection[Any]


class Served(NamedTuple):
    """The table that a view shows."""

    schema: str
    table: str


class Column(NamedTuple):
    """As the catalogue has it."""

    name: str
    type: str  # with its collation, if that is another than the database's
    required: bool


def served(conn: Connection, name: str) -> Served | None:
    """None while there is no such view."""
    found = conn.execute(SERVED, [f"read.{name}"]).fetchone()
    return Served(*found) if found else None


def columns(conn: Connection, table: str) -> list[Column]:
    return [Column(*row) for row in conn.execute(COLUMNS, [table])]


def show(conn: Connection, name: str, table: Served, also: Projection[Any] | None = None) -> None:
    """In the caller's transaction: the view `name` shows this table from now on, and the columns of `also`."""
    view = Identifier("read", name)
    has = {column.name: column for column in columns(conn, f"{table.schema}.{table.table}")}
    old = served(conn, name)
    required = {c.name for c in columns(conn, f"{old.schema}.{old.table}") if c.required} if old else set()
    before = [c._replace(required=c.name in required) for c in columns(conn, f"read.{name}")]
    wanted = has | ({c.name: c for c in columns(conn, also.qualified_name) if c.name not in has} if also else {})
    if any(c.name in wanted and wanted[c.name].type != c.type for c in before):
        conn.execute(SQL("DROP VIEW {}").format(view))  # a column's type or collation cannot be changed in place
        before = []
    order = {column.name: column for column in before} | wanted
    columns_ = [expression(column, column.name in has) for column in order.values()]
    (options,) = conn.execute(OPTIONS, [f"read.{name}"]).fetchone() or ([],)
    with_options = SQL(f" WITH ({', '.join(options)})") if options else SQL("")
    statement = SQL("CREATE OR REPLACE VIEW {}{} AS SELECT {} FROM {} AS t")
    conn.execute(statement.format(view, with_options, SQL(", ").join(columns_), Identifier(*table)))
    conn.execute(SQL(shown(f"read.{name}")))
    for side in SIDE_TABLES:
        side.show(conn, name, *table)
    conn.execute(KEEP, [name, table.table])


def expression(column: Column, there: bool) -> Composable:
    name = Identifier(column.name)
    if there:
        return SQL("t.") + name
    value = Literal(EMPTY.get(column.type.partition(" COLLATE ")[0])) if column.required else SQL("NULL")
    return SQL("{}::{} AS {}").format(value, SQL(column.type), name)
