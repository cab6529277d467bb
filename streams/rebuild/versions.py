"""Which projection versions a database does not serve yet, and what must not start at all."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.errors import Broken
from crm.golden_rows import WAY, Gold, difference, gold
from crm.projection import Projection
from streams.rebuild.fold.time_limit import Endless, limited, line_of

MEND = "Nothing was changed. Raise its version: the new table is filled from the journal."
MUCH = 20_000  # events: what the project role folds by itself in a few seconds
EVENTS = "SELECT coalesce(sum(next), 0)::bigint FROM core.journal_head"
UNREAD = "SELECT NOT EXISTS (SELECT FROM core.checkpoint WHERE consumer = %s AND position >= 0)"
BUILT = "SELECT EXISTS (SELECT FROM core.built WHERE (name, consumer) = (%s, %s))"
HELD = "SELECT held FROM core.served WHERE name = %s"
KEEP = """
INSERT INTO core.gold VALUES (%s, %s, %s, %s, %s) ON CONFLICT (consumer) DO UPDATE
SET way = excluded.way, shapes = excluded.shapes, handles = excluded.handles, columns = excluded.columns"""
KEPT = "SELECT shapes, handles, columns FROM core.gold WHERE (consumer, way) = (%s, %s)"
Connection = psycopg.Connection[Any]


def behind(conn: Connection, projections: Iterable[Projection[Any]]) -> list[Projection[Any]]:
    """Those whose view shows another version, and those that have all of a long journal before them."""
    ((events,),) = conn.execute(EVENTS).fetchall()
    found = []
    for projection in projections:
        shown = views.served(conn, projection.name)
        if (held := conn.execute(HELD, [projection.name]).fetchone()) and held[0]:
            continue
        if conn.execute(BUILT, [projection.name, projection.table]).fetchone() == (True,):
            continue  # it waits for its project role
        ((unread,),) = conn.execute(UNREAD, [projection.table]).fetchall()
        if shown != Served("read", projection.table) or (unread and events > MUCH):
            found.append(projection)
    return found


def claim(conn: Connection, projections: Sequence[Projection[Any]]) -> None:
    """From here on the project role leaves these versions alone, and their views have the columns that they bring."""
    for projection in projections:
        with conn.transaction():
            conn.execute("INSERT INTO core.building VALUES (%s) ON CONFLICT DO NOTHING", [projection.table])
            conn.execute("DELETE FROM core.checkpoint WHERE consumer = %s", [projection.table])
            if shown := views.served(conn, projection.name):
                views.show(conn, projection.name, shown, also=projection)


def refuse_a_changed_fold(conn: Connection, projections: Iterable[Projection[Any]]) -> None:
    """Raises Broken when a version gives other rows than it gave when its table was made, or comes to no end."""
    for projection in projections:
        try:
            with limited():
                refuse_changed(conn, projection)
        except Endless as error:
            file = projection.fold.__code__.co_filename
            raise Broken(
                f"The fold of {projection.name} ({file}, line {line_of(error, file)}) cannot take the golden records: "
                f"{error}. Nothing was changed. Mend the fold and run it again."
            ) from error


def refuse_changed(conn: Connection, projection: Projection[Any]) -> None:
    kept = conn.execute(KEPT, [projection.table, WAY]).fetchone()
    if kept is None:
        shapes, handles, columns = gold(projection)
        conn.execute(KEEP, [projection.table, WAY, shapes, handles, Jsonb(columns)])
    elif said := difference(projection, Gold(*kept)):
        raise Broken(f"{said} {MEND}")
