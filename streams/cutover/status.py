"""Views that do not show what this release folds, since when, and whether somebody is at it: what doctor tells."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from crm.adapters.postgres import views
from crm.projection import Projection
from crm.topics import JOURNAL
from streams.rebuild.rebuild import LOCK
from streams.rebuild.write.tables import Connection

# An advisory lock of two numbers lies in pg_locks as classid and objid.
STATE = """
SELECT b.since, u.since, s.at, coalesce(s.held, false), EXISTS (
  SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(lock)s
  AND l.objid::bigint = hashtext(%(name)s)::bigint & 4294967295)
FROM (SELECT) AS one LEFT JOIN core.building AS b ON b.consumer = %(table)s
LEFT JOIN core.built AS u ON (u.name, u.consumer) = (%(name)s, %(table)s)
LEFT JOIN core.served AS s ON s.name = %(name)s"""
LEFT = """
SELECT coalesce(sum(greatest(h.next - coalesce(c.position, -1) - 1, 0)), 0)::bigint FROM core.journal_head AS h
LEFT JOIN core.checkpoint AS c ON c.consumer = %s AND c.topic = %s AND c.partition = h.partition"""


class Standing(NamedTuple):
    """`at_work`: a rebuild of it runs at this moment."""

    name: str
    at_work: bool
    sentence: str


def standings(
    conn: Connection, projections: Iterable[Projection[Any]], topic: str = JOURNAL.name
) -> Iterator[Standing]:
    """Of those whose view does not show the table that this release moves, or whose table is left to a rebuild."""
    for projection in projections:
        name, table = projection.name, projection.table
        asked = {"name": name, "table": table, "lock": LOCK}
        ((claimed, complete, changed, held, at_work),) = conn.execute(STATE, asked).fetchall()
        shown = views.served(conn, name)
        if shown == ("read", table) and not claimed:
            continue
        ((left,),) = conn.execute(LEFT, [shown.table if shown else "", topic]).fetchall()
        old = f"Readers see {'.'.join(shown) if shown else 'nothing'}, {left:,} events behind the journal"
        yield Standing(
            name, at_work, f"{what(projection, claimed, complete, changed if held else None, at_work)} {old}."
        )


def what(
    projection: Projection[Any],
    claimed: datetime | None,
    complete: datetime | None,
    put_back: datetime | None,
    at_work: bool,
) -> str:
    """And what to do about it."""
    name, version = projection.name, f"{projection.name} version {projection.version}"
    if at_work:
        return f"{version} is being built from the journal now."
    if complete:
        return f"{version} is complete since {day(complete)} and waits for a project role of this release: start one."
    if put_back:
        return f"{name} was put back by `--rollback` on {day(put_back)}: `crm rebuild {name}` goes forward again."
    since = f" It has waited since {day(claimed)}." if claimed else ""
    return f"{version} is not built and nobody is at it: `crm rebuild {name}`.{since}"


def day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
