"""Tables that are being built, beside those that are read: made empty, filled, then given their indexes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from crm.adapters.postgres.reader_role import secured
from crm.errors import Broken
from crm.projection import Projection

BUILDING, BEFORE = "building", "before"  # schemas: of what is being built, and of what the last rebuild replaced
INDEXES = "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'read' AND tablename = %s ORDER BY 1"
SETTINGS = """
SELECT coalesce(array_to_string(reloptions, ', '), '') FROM pg_class WHERE oid = to_regclass(%s)"""
Connection = psycopg.Connection[Any]


def building(projections: Sequence[Projection[Any]], schema: str = BUILDING) -> list[Projection[Any]]:
    return [replace(projection, schema=schema) for projection in projections]


def connected(dsn: str) -> Connection:
    return psycopg.connect(dsn, application_name="crm rebuild")


def make_all(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    with connected(dsn) as conn:
        for projection in projections:
            make(conn, projection)


def complete_all(dsn: str, projections: Sequence[Projection[Any]], at_once: int = 2) -> None:
    """Keys and indexes, then what needs the table for itself. Raises TwoPlaces."""
    with connected(dsn) as conn:
        made = [(p, statement) for p in projections for statement in (unique(p), *indexes(conn, p))]

    def one(work: tuple[Projection[Any], SQL | Composed]) -> None:
        with connected(dsn) as conn:
            index(conn, *work)

    made.sort(key=lambda work: "USING gin" not in str(work[1]))  # they take longest: begun last, one would be alone
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, made))
    with connected(dsn) as conn:
        for projection in projections:
            complete(conn, projection)


def make(conn: Connection, projection: Projection[Any]) -> None:
    """An empty table like the one that is read, without indexes. What an ended rebuild left is dropped."""
    conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(projection.schema)))
    drop(conn, projection)
    there, made = Identifier("read", projection.table), Identifier(projection.schema, projection.table)
    ((settings,),) = conn.execute(SETTINGS, [f"read.{projection.table}"]).fetchall()
    conn.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)").format(made, there))
    if settings:
        conn.execute(SQL("ALTER TABLE {} SET ({})").format(made, SQL(settings)))


def drop(conn: Connection, projection: Projection[Any]) -> None:
    conn.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(projection.schema, projection.table)))


def primary(projection: Projection[Any]) -> str:
    return f"{projection.table}_pkey"


def unique(projection: Projection[Any]) -> SQL | Composed:
    """What becomes the primary key: made like this, other indexes of the table can be made at the same time."""
    name, key = Identifier(primary(projection)), Identifier(projection.key)
    return SQL("CREATE UNIQUE INDEX {} ON {} ({}, workspace)").format(name, SQL(projection.place), key)


def indexes(conn: Connection, projection: Projection[Any]) -> list[SQL | Composed]:
    """Those of the table that is read, on this one."""
    there = conn.execute(INDEXES, [projection.table]).fetchall()
    place = f" ON {projection.place} "
    told = [text.replace(f" ON read.{projection.table} ", place) for n, text in there if n != primary(projection)]
    return [SQL(text) for text in told]


def index(conn: Connection, projection: Projection[Any], statement: SQL | Composed) -> None:
    """Raises TwoPlaces when a key came twice."""
    ((may,),) = conn.execute("SELECT has_parameter_privilege('wal_compression', 'SET')").fetchall()
    if may:  # an index is written to the WAL page by page: compressing these took most of the time
        conn.execute("SET wal_compression = off")
    conn.execute("SET maintenance_work_mem = '256MB'")
    try:
        conn.execute(statement)
    except psycopg.errors.UniqueViolation as error:
        raise TwoPlaces(f"{projection.name}: a row came from two places ({error.diag.message_detail})") from error


def complete(conn: Connection, projection: Projection[Any]) -> None:
    made, name = SQL(projection.place), Identifier(primary(projection))
    conn.execute(SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(made, name, name))
    conn.execute(SQL(secured(projection.place)))
    conn.execute(SQL("ANALYZE {}").format(made))


class TwoPlaces(Broken):
    """Events of one row lie in several partitions: these must be folded together, by one process."""
