"""A view goes over to the version that a project role of its release moves; subscribers hear what is new in it."""

import asyncio
from typing import Any

from psycopg.sql import SQL

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.cutover import catch_up_notices as telling
from streams.cutover.catch_up_notices import Change
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.write import tables

PATIENCE = "300ms"  # that readers may wait behind the change of their view, before it is tried again
REMEMBER = """
INSERT INTO core.served (name, before_schema, before_table, held) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET at = now(), before_schema = excluded.before_schema,
before_table = excluded.before_table, held = excluded.held"""
MINE = "SELECT 1 FROM core.built WHERE name = %s AND consumer = %s FOR UPDATE SKIP LOCKED"
PLACES = """
SELECT consumer, partition, position + 1, failed FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s
ORDER BY consumer, topic, partition"""
Places = dict[int, int]  # the next position by partition


class NotYet(Exception):
    """Why it does not go over yet."""


def go_over(dsn: str, projection: Projection[Any], bootstrap: str, topic: str = JOURNAL.name) -> str:
    """Why its view does not go over yet; empty when it shows this version now. Raises failing.TROUBLE, CrmError.

    Never before the new table holds all that readers have seen in the old one. Of what it has more its role told
    subscribers while these still read the old one: they are told again.
    """
    try:
        with tables.connected(dsn) as conn:
            go(conn, projection, bootstrap, topic)
    except NotYet as why:
        return str(why)
    return ""


def go(conn: tables.Connection, projection: Projection[Any], bootstrap: str, topic: str) -> None:
    """In the caller's transaction. Raises NotYet."""
    before = views.served(conn, projection.name)
    old, new = places(conn, projection, before, topic)
    told = ahead(projection, old, new, bootstrap, topic)  # the most of it, while nobody is held
    conn.execute("SET LOCAL lock_timeout = '2s'")
    if not conn.execute(MINE, [projection.name, projection.table]).fetchone():
        raise NotYet("another role lets it go over")
    old, at = places(conn, projection, before, topic, " FOR UPDATE")
    told += ahead(projection, new, at, bootstrap, topic)
    conn.execute(SQL("SET LOCAL lock_timeout = {}").format(PATIENCE))
    views.show(conn, projection.name, Served("read", projection.table), also=projection)
    conn.execute("DELETE FROM core.built WHERE name = %s", [projection.name])
    if before:
        conn.execute(REMEMBER, [projection.name, *before, False])
    telling.tell(conn, projection, old, begins(at), told)


def places(
    conn: tables.Connection, projection: Projection[Any], before: Served | None, topic: str, lock: str = ""
) -> tuple[Places, Places]:
    """Of the table that is read and of the new one. Raises NotYet. With " FOR UPDATE" nobody moves either any more."""
    new, old = projection.table, before.table if before else ""
    at: dict[str, Places] = {new: {}, old: {}}
    for consumer, partition, next_, failed in conn.execute(f"{PLACES}{lock}".encode(), [[new, old], topic]):
        if failed and consumer == new:
            raise NotYet(f"{new} stands still: {failed}")
        at[consumer][partition] = next_
    left = sum(max(0, next_ - at[new].get(partition, 0)) for partition, next_ in at[old].items())
    if left:
        raise NotYet(f"{new} is {left:,} events behind {old}")
    return at[old], at[new]


def ahead(projection: Projection[Any], old: Places, new: Places, bootstrap: str, topic: str) -> list[Change]:
    """The changes between."""
    return asyncio.run(telling.ahead([projection], {projection.table: old}, begins(new), bootstrap, topic))


def begins(at: Places) -> dict[int, Begin]:
    return {partition: Begin(0, next_) for partition, next_ in at.items()}
