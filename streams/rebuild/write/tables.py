"""Creates the tables of a rebuild next to those that are read: first empty, indexes after they are filled."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from crm.adapters.postgres.reader_role import secured
from crm.adapters.postgres.side_tables import SIDE_TABLES
from crm.errors import Broken
from crm.projection import Projection

BUILDING, BEFORE = "building", "before"  # schemas of new tables, and of the tables that the last rebuild replaced
INDEXES = "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'read' AND tablename = %s ORDER BY 1"
SETTINGS = """
SELECT coalesce(array_to_string(reloptions, ', '), '') FROM pg_class WHERE oid = to_regclass(%s)"""
Connection = psycopg.Connection[Any]


def in_schema(projections: Sequence[Projection[Any]], schema: str = BUILDING) -> list[Projection[Any]]:
    """Returns these projections with tables in another schema."""
    return [replace(projection, schema=schema) for projection in projections]


def connected(dsn: str) -> Connection:
    return psycopg.connect(dsn, application_name="crm rebuild")


def make_all(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    """Creates empty tables."""
    with connected(dsn) as conn:
        for projection in projections:
            make(conn, projection)


def complete_all(dsn: str, projections: Sequence[Projection[Any]], parallel_indexes: int = 2) -> None:
    """Creates keys and indexes, several at a time, then completes each table. Raises KeyInSeveralPartitions."""
    with connected(dsn) as conn:
        work = [(p, statement) for p in projections for statement in (unique(p), *indexes(conn, p))]

    def create(item: tuple[Projection[Any], SQL | Composed]) -> None:
        with connected(dsn) as conn:
            index(conn, *item)

    work.sort(key=lambda item: "USING gin" not in str(item[1]))  # these take longest, so they start first
    with ThreadPoolExecutor(parallel_indexes) as pool:
        list(pool.map(create, work))
    with connected(dsn) as conn:
        for projection in projections:
            complete(conn, projection)


def make(conn: Connection, projection: Projection[Any]) -> None:
    """Creates an empty table like the one that is read, without indexes. Drops what an interrupted rebuild left."""
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(projection.schema)))
    drop(conn, projection)
    live, new = Identifier("read", projection.table), Identifier(projection.schema, projection.table)
    ((settings,),) = conn.execute(SETTINGS, [f"read.{projection.table}"]).fetchall()
    conn.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)").format(new, live))
    if settings:
        conn.execute(SQL("ALTER TABLE {} SET ({})").format(new, SQL(settings)))
    for side in SIDE_TABLES:
        side.install(conn, projection)


def drop(conn: Connection, projection: Projection[Any]) -> None:
    """Drops the table, its totals and its custom fields if they exist."""
    drop_table(conn, projection.schema, projection.table)


def drop_table(conn: Connection, schema: str, table: str) -> None:
    for name in (table, *(f"{table}{side.suffix}" for side in SIDE_TABLES)):
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(schema, name)))


def primary(projection: Projection[Any]) -> str:
    return f"{projection.table}_pkey"


def unique(projection: Projection[Any]) -> SQL | Composed:
    """Returns the statement for the index of the primary key. Other indexes can be created at the same time."""
    name, key = Identifier(primary(projection)), Identifier(projection.key)
    return SQL("CREATE UNIQUE INDEX {} ON {} ({}, workspace)").format(name, SQL(projection.qualified_name), key)


def indexes(conn: Connection, projection: Projection[Any]) -> list[SQL | Composed]:
    """Returns the statements for the indexes that the table that is read has, but for its primary key."""
    live = conn.execute(INDEXES, [projection.table]).fetchall()
    old, new = f" ON read.{projection.table} ", f" ON {projection.qualified_name} "
    return [SQL(text.replace(old, new)) for name, text in live if name != primary(projection)]


def index(conn: Connection, projection: Projection[Any], statement: SQL | Composed) -> None:
    """Creates an index. Raises KeyInSeveralPartitions when a key came twice."""
    ((may,),) = conn.execute("SELECT has_parameter_privilege('wal_compression', 'SET')").fetchall()
    if may:  # an index goes to the WAL page by page: compressing the pages took most of the time
        conn.execute("SET wal_compression = off")
    conn.execute("SET maintenance_work_mem = '256MB'")
    try:
        conn.execute(statement)
    except psycopg.errors.UniqueViolation as error:
        raise KeyInSeveralPartitions(
            f"{projection.name}: events of one row are in several partitions ({error.diag.message_detail})"
        ) from error


def complete(conn: Connection, projection: Projection[Any]) -> None:
    """Adds the primary key and the row security, counts the rows for the totals, writes the values of custom
    fields, and analyzes the table."""
    made, name = SQL(projection.qualified_name), Identifier(primary(projection))
    conn.execute(SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(made, name, name))
    conn.execute(SQL(secured(projection.qualified_name)))
    for side in SIDE_TABLES:
        side.fill(conn, projection)
    conn.execute(SQL("ANALYZE {}").format(made))


class KeyInSeveralPartitions(Broken):
    """Events of one row are in several partitions, which one process must fold together."""
