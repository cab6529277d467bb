"""Tables that are being built, beside those that are read: made empty, filled, then given their indexes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.reader import secured
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


def complete_all(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    """Two at a time. Raises TwoPlaces."""

    def one(projection: Projection[Any]) -> None:
        with connected(dsn) as conn:
            complete(conn, projection)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, projections))


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


def complete(conn: Connection, projection: Projection[Any]) -> None:
    """Primary key, then the indexes that the table has which is read. Raises TwoPlaces when a key came twice."""
    conn.execute("SET maintenance_work_mem = '256MB'")
    made = SQL(projection.place)
    primary = f"{projection.table}_pkey"
    try:
        add = SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({}, workspace)")
        conn.execute(add.format(made, Identifier(primary), Identifier(projection.key)))
    except psycopg.errors.UniqueViolation as error:
        raise TwoPlaces(f"{projection.name}: a row came from two places ({error.diag.message_detail})") from error
    for name, definition in conn.execute(INDEXES, [projection.table]).fetchall():
        if name != primary:
            conn.execute(definition.replace(f" ON read.{projection.table} ", f" ON {projection.place} "))
    conn.execute(SQL(secured(projection.place)))
    conn.execute(SQL("ANALYZE {}").format(made))


class TwoPlaces(Broken):
    """Events of one row lie in several partitions: these must be folded together, by one process."""
