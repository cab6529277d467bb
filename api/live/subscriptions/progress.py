"""The position of each projection in the journal, from its checkpoints."""

from collections.abc import Mapping

from psycopg import AsyncConnection

from api.live.positions import BEGINNING, Positions
from crm.topics import JOURNAL
from projections import PROJECTIONS

CHECKPOINTS = b"""
SELECT consumer, partition, position + 1 FROM core.checkpoint WHERE topic = %s AND consumer = ANY (%s)"""
BY_TABLE = {p.table: name for name, p in PROJECTIONS.items()}
Progress = Mapping[str, Positions]  # by projection


async def read_progress(connection: AsyncConnection) -> Progress:
    """Returns the next position of each partition, by projection."""
    rows = await (await connection.execute(CHECKPOINTS, [JOURNAL.name, list(BY_TABLE)])).fetchall()
    found = {name: list(BEGINNING) for name in PROJECTIONS}
    for table, partition, next in rows:
        found[BY_TABLE[table]][partition] = next
    return {name: tuple(positions) for name, positions in found.items()}
