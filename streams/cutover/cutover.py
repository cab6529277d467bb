"""Switches a view to the version that a project role of this release folds, and notifies subscribers of the changes."""

import asyncio
from typing import Any

from psycopg.sql import SQL

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.cutover import catch_up_notices
from streams.cutover.catch_up_notices import Change
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.write import tables

PATIENCE = "300ms"  # that readers may wait behind the change of their view before the change is retried
REMEMBER_SERVED = """
INSERT INTO core.served (name, before_schema, before_table, held) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET at = now(), before_schema = excluded.before_schema,
before_table = excluded.before_table, held = excluded.held"""
CLAIM = "SELECT 1 FROM core.built WHERE name = %s AND consumer = %s FOR UPDATE SKIP LOCKED"
POSITIONS = """
SELECT consumer, partition, position + 1, failed FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s
ORDER BY consumer, topic, partition"""
Positions = dict[int, int]  # the next position by partition


class CutoverDelayed(Exception):
    """The view cannot switch yet; the message says why."""


def cut_over(dsn: str, projection: Projection[Any], bootstrap: str, topic: str = JOURNAL.name) -> str:
    """Switches the view to this version. Returns "" when done, or why it cannot switch yet.

    Waits until the new table holds all that readers have seen in the old one. Notifications of events past that point
    were sent while subscribers still read the old table, so they are sent again. Raises SERVER_ERRORS or CrmError.
    """
    try:
        with tables.connected(dsn) as conn:
            cut_over_in(conn, projection, bootstrap, topic)
    except CutoverDelayed as why:
        return str(why)
    return ""


def cut_over_in(conn: tables.Connection, projection: Projection[Any], bootstrap: str, topic: str) -> None:
    """Switches the view in the caller's transaction. Raises CutoverDelayed."""
    before = views.served(conn, projection.name)
    old, new = positions_of(conn, projection, before, topic)
    found = changes(projection, old, new, bootstrap, topic)  # most of them, before anything is locked
    conn.execute("SET LOCAL lock_timeout = '2s'")
    if not conn.execute(CLAIM, [projection.name, projection.table]).fetchone():
        raise CutoverDelayed("another role is switching it")
    old, at = positions_of(conn, projection, before, topic, " FOR UPDATE")
    found += changes(projection, new, at, bootstrap, topic)
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    views.show(conn, projection.name, Served("read", projection.table), also=projection)
    conn.execute("DELETE FROM core.built WHERE name = %s", [projection.name])
    if before:
        conn.execute(REMEMBER_SERVED, [projection.name, *before, False])
    catch_up_notices.notify(conn, projection, old, read_positions(at), found)


def positions_of(
    conn: tables.Connection, projection: Projection[Any], before: Served | None, topic: str, lock: str = ""
) -> tuple[Positions, Positions]:
    """Returns the next positions of the table that is read and of the new one. " FOR UPDATE" locks both.

    Raises CutoverDelayed when the new table is halted or behind.
    """
    new, old = projection.table, before.table if before else ""
    at: dict[str, Positions] = {new: {}, old: {}}
    for consumer, partition, next_, failed in conn.execute(f"{POSITIONS}{lock}".encode(), [[new, old], topic]):
        if failed and consumer == new:
            raise CutoverDelayed(f"{new} is halted: {failed}")
        at[consumer][partition] = next_
    left = sum(max(0, next_ - at[new].get(partition, 0)) for partition, next_ in at[old].items())
    if left:
        raise CutoverDelayed(f"{new} is {left:,} events behind {old}")
    return at[old], at[new]


def changes(projection: Projection[Any], old: Positions, new: Positions, bootstrap: str, topic: str) -> list[Change]:
    """Returns the changes between the positions of the old and the new table."""
    seen, at = {projection.table: old}, read_positions(new)
    return asyncio.run(catch_up_notices.changes_between([projection], seen, at, bootstrap, topic))


def read_positions(at: Positions) -> dict[int, ReadPosition]:
    return {partition: ReadPosition(0, next_) for partition, next_ in at.items()}
