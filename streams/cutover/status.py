"""Views that do not show the version of this release, since when, and whether a rebuild runs. Used by `crm doctor`."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from crm.adapters.postgres import views
from crm.projection import Projection
from crm.rebuilds import LOCK
from crm.topics import JOURNAL
from streams.rebuild.write.tables import Connection

# pg_locks shows an advisory lock of two numbers as classid and objid.
STATE = """
SELECT b.since, u.since, s.at, coalesce(s.held, false), EXISTS (
  SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock)s
  AND l.objid::bigint = hashtext(%(name)s)::bigint & 4294967295)
FROM (SELECT) AS one LEFT JOIN core.building AS b ON b.consumer = %(table)s
LEFT JOIN core.built AS u ON (u.name, u.consumer) = (%(name)s, %(table)s)
LEFT JOIN core.served AS s ON s.name = %(name)s"""
BEHIND = """
SELECT coalesce(sum(greatest(h.next - coalesce(c.position, -1) - 1, 0)), 0)::bigint FROM core.journal_head AS h
LEFT JOIN core.checkpoint AS c ON c.consumer = %s AND c.topic = %s AND c.partition = h.partition"""


class ViewStatus(NamedTuple):
    """The state of one outdated view. `at_work`: a rebuild of it is running now."""

    name: str
    at_work: bool
    sentence: str


def outdated_views(
    conn: Connection, projections: Iterable[Projection[Any]], topic: str = JOURNAL.name
) -> Iterator[ViewStatus]:
    """Yields the projections whose view does not show the table of this release, or whose table is claimed."""
    for projection in projections:
        name, table = projection.name, projection.table
        parameters = {"name": name, "table": table, "lock": LOCK}
        ((claimed, complete, changed, held, at_work),) = conn.execute(STATE, parameters).fetchall()
        shown = views.served(conn, name)
        if shown == ("read", table) and not claimed:
            continue
        ((left,),) = conn.execute(BEHIND, [shown.table if shown else "", topic]).fetchall()
        old = f"Readers see {'.'.join(shown) if shown else 'nothing'}, {left:,} events behind the journal"
        yield ViewStatus(
            name, at_work, f"{situation(projection, claimed, complete, changed if held else None, at_work)} {old}."
        )


def situation(
    projection: Projection[Any],
    claimed: datetime | None,
    complete: datetime | None,
    rolled_back: datetime | None,
    at_work: bool,
) -> str:
    """Returns a sentence on the state and on what to do about it."""
    name, version = projection.name, f"{projection.name} version {projection.version}"
    if at_work:
        return f"{version} is being built from the journal now."
    if complete:
        return f"{version} is complete since {day(complete)} and waits for a project role of this release: start one."
    if rolled_back:
        return f"{name} was rolled back on {day(rolled_back)}: `crm rebuild {name}` returns to the new version."
    since = f" It has waited since {day(claimed)}." if claimed else ""
    return f"{version} is not built and no rebuild is running: run `crm rebuild {name}`.{since}"


def day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
