"""Reads the entries of the quarantine from Postgres."""

from collections.abc import Iterable
from typing import Any, LiteralString

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.rows import class_row

from crm.decisions.delivery import NOBODY
from crm.rereads import Entry
from crm.scalars import Id, Micros
from crm.state import Quarantined
from projections import PROJECTIONS

STATUSES = ("waiting", "released", "discarded", "all")
# The table of this release's version: what is not shown by the view yet is there already.
COLUMNS = f"""
SELECT workspace::text, quarantine_id::text AS id, connection, connector, reason, content_type, size, sha256,
  cause_topic AS topic, cause_partition AS partition, cause_offset AS "offset", status, attempts, touched_by,
  at_risk, phones, emails,
  (extract(epoch FROM received_at) * 1000000)::bigint AS received_at,
  (extract(epoch FROM quarantined_at) * 1000000)::bigint AS quarantined_at
FROM {PROJECTIONS["quarantine"].qualified_name}"""
# In order of arrival: deliveries of one sender are in one partition.
ORDER: LiteralString = " ORDER BY quarantined_at, cause_topic, cause_partition, cause_offset, quarantine_id"
STATE = (
    "SELECT key, value::text FROM core.state WHERE (workspace, key) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))"
)


class EntryFilter(Struct, frozen=True):
    """Which entries to find. An empty field does not filter."""

    ids: tuple[Id, ...] = ()
    connector: str = ""
    reason: str = ""  # a part of it, case-insensitive
    status: str = "waiting"
    since: Micros = Micros(0)
    workspace: Id | None = None
    nobody: bool = False
    at_risk: str = ""


async def find_entries(conn: AsyncConnection, wanted: EntryFilter, limit: int | None = None) -> list[Entry]:
    """Returns matching entries, oldest first."""
    workspace = NOBODY if wanted.nobody else wanted.workspace
    terms: list[tuple[LiteralString, Any]] = [
        ("quarantine_id = ANY (%s)", list(wanted.ids) or None),
        ("connector = %s", wanted.connector or None),
        ("strpos(lower(reason), lower(%s)) > 0", wanted.reason or None),
        ("status = %s", None if wanted.status == "all" else wanted.status),
        ("quarantined_at >= timestamptz 'epoch' + %s * interval '1 microsecond'", wanted.since or None),
        ("workspace = %s", workspace),
        ("at_risk = %s", wanted.at_risk or None),
    ]
    given = [(term, value) for term, value in terms if value is not None]
    query = COLUMNS + (" WHERE " + " AND ".join(term for term, _ in given) if given else "") + ORDER + " LIMIT %s"
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(query.encode(), [*(value for _, value in given), limit])
        return await cursor.fetchall()


async def current_states(conn: AsyncConnection, entries: Iterable[Entry]) -> dict[Id, Quarantined]:
    """Returns decide's present state of the entries, by id. The read model may lag behind it."""
    entries = list(entries)
    names = [f"Quarantined/{entry.id}" for entry in entries]
    rows = await (await conn.execute(STATE, [[entry.workspace for entry in entries], names])).fetchall()
    found = {key.partition("/")[2]: msgspec.json.decode(value, type=Quarantined) for key, value in rows}
    return {entry.id: found.get(entry.id, Quarantined()) for entry in entries}
