"""Finds the projection versions that a database does not serve yet, and folds that changed without a new version."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from crm.adapters.postgres import views
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.views import Served
from crm.errors import Broken
from crm.golden_rows import DIGEST_VERSION, GoldenRows, difference, golden_rows
from crm.projection import Projection
from streams.rebuild.fold.time_limit import FoldTimeout, line_of, work_limit

REMEDY = "Nothing was changed. Raise its version: the new table is filled from the journal."
MANY = 20_000  # events; the project role folds fewer by itself in a few seconds
EVENTS = "SELECT coalesce(sum(next), 0)::bigint FROM core.journal_head"
UNREAD = "SELECT NOT EXISTS (SELECT FROM core.checkpoint WHERE consumer = %s AND position >= 0)"
BUILT = "SELECT EXISTS (SELECT FROM core.built WHERE (name, consumer) = (%s, %s))"
HELD = "SELECT held FROM core.served WHERE name = %s"
KEEP = """
INSERT INTO core.gold VALUES (%s, %s, %s, %s, %s) ON CONFLICT (consumer) DO UPDATE
SET way = excluded.way, shapes = excluded.shapes, handles = excluded.handles, columns = excluded.columns"""
KEPT = "SELECT shapes, handles, columns FROM core.gold WHERE (consumer, way) = (%s, %s)"
Connection = psycopg.Connection[Any]


def pending_rebuilds(conn: Connection, projections: Iterable[Projection[Any]]) -> list[Projection[Any]]:
    """Returns the projections whose view shows another version, or that have all of a long journal still to fold."""
    ((events,),) = conn.execute(EVENTS).fetchall()
    found = []
    for projection in projections:
        shown = views.served(conn, projection.name)
        if (held := conn.execute(HELD, [projection.name]).fetchone()) and held[0]:
            continue
        if conn.execute(BUILT, [projection.name, projection.table]).fetchone() == (True,):
            continue  # complete: it waits for its project role
        ((unread,),) = conn.execute(UNREAD, [projection.table]).fetchall()
        if shown != Served("read", projection.table) or (unread and events > MANY):
            found.append(projection)
    return found


def claim(conn: Connection, projections: Sequence[Projection[Any]]) -> None:
    """Reserves these versions for a rebuild: the project role skips them. Adds their new columns to the views."""
    for projection in projections:
        with conn.transaction():
            conn.execute("INSERT INTO core.building VALUES (%s) ON CONFLICT DO NOTHING", [projection.table])
            conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [projection.table])
            if shown := views.served(conn, projection.name):
                views.show(conn, projection.name, shown, also=projection)


def refuse_a_changed_fold(conn: Connection, projections: Iterable[Projection[Any]]) -> None:
    """Raises Broken when a version yields other rows than when its table was created, or does not terminate."""
    for projection in projections:
        try:
            with work_limit():
                refuse_changed(conn, projection)
        except FoldTimeout as error:
            file = projection.fold.__code__.co_filename
            raise Broken(
                f"The fold of {projection.name} ({file}, line {line_of(error, file)}) cannot take the golden records: "
                f"{error}. Nothing was changed. Fix the fold and run it again."
            ) from error


def refuse_changed(conn: Connection, projection: Projection[Any]) -> None:
    """Compares with the stored digests, or stores them. Raises Broken when they differ."""
    kept = conn.execute(KEPT, [projection.table, DIGEST_VERSION]).fetchone()
    if kept is None:
        shapes, handles, columns = golden_rows(projection)
        conn.execute(KEEP, [projection.table, DIGEST_VERSION, shapes, handles, Jsonb(columns)])
    elif said := difference(projection, GoldenRows(*kept)):
        raise Broken(f"{said} {REMEDY}")


def prepare(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    """Migrates tables and views. Raises Broken when a row or a fold changed without a new version."""
    migrate(dsn, projections)
    with psycopg.connect(dsn) as conn:
        refuse_a_changed_fold(conn, projections)
