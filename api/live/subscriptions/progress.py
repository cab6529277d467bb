"""How far each projection is in the journal, as its checkpoints say."""

from collections.abc import Mapping

from psycopg import AsyncConnection

from api.live.positions import BEGINNING, Places
from crm.topics import JOURNAL
from projections import PROJECTIONS

CHECKPOINTS = b"""
SELECT consumer, partition, position + 1 FROM core.checkpoint WHERE topic = %s AND consumer = ANY (%s)"""
BY_TABLE = {p.table: name for name, p in PROJECTIONS.items()}
Reached = Mapping[str, Places]  # by projection


async def reached(connection: AsyncConnection) -> Reached:
    """How far each projection is."""
    rows = await (await connection.execute(CHECKPOINTS, [JOURNAL.name, list(BY_TABLE)])).fetchall()
    found = {name: list(BEGINNING) for name in PROJECTIONS}
    for table, partition, next in rows:
        found[BY_TABLE[table]][partition] = next
    return {name: tuple(places) for name, places in found.items()}
