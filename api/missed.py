"""Which rows changed while nobody listened: from the journal, between two looks at the projections' checkpoints."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from psycopg import AsyncConnection

from api.journal import Journal
from api.places import BEGINNING, Places
from crm.scalars import Id
from crm.topics import JOURNAL
from projections import PROJECTIONS

CHECKPOINTS = b"""
SELECT consumer, partition, position + 1 FROM core.checkpoint WHERE topic = %s AND consumer = ANY (%s)"""
BY_TABLE = {p.table: name for name, p in PROJECTIONS.items()}
Reached = Mapping[str, Places]  # by projection
Rows = tuple[str, str, tuple[Id, ...]]  # projection, workspace, the rows' keys


async def reached(connection: AsyncConnection) -> Reached:
    """How far each projection is."""
    rows = await (await connection.execute(CHECKPOINTS, [JOURNAL.name, list(BY_TABLE)])).fetchall()
    found = {name: list(BEGINNING) for name in PROJECTIONS}
    for table, partition, next in rows:
        found[BY_TABLE[table]][partition] = next
    return {name: tuple(places) for name, places in found.items()}


async def missed(
    journal: Journal, since: Reached, until: Reached, wanted: Mapping[tuple[str, str], object]
) -> AsyncGenerator[Rows]:
    """Rows of these projections and workspaces that an event between the two may have changed: some perhaps did not."""
    asked = {name: PROJECTIONS[name] for name, _ in wanted}
    if not asked:
        return
    workspaces = {workspace.encode() for _, workspace in wanted}
    begin = tuple(map(min, *(since[name] for name in asked), *(until[name] for name in asked)))
    end = tuple(map(max, *(until[name] for name in asked), begin))
    async with aclosing(journal.between(begin, end, workspaces)) as stretches:
        async for stretch in stretches:
            for workspace, entries in stretch.entries.items():
                for name, projection in asked.items():
                    keys = {
                        projection.key_of(e.event): None
                        for e in entries
                        if since[name][e.partition] <= e.position < until[name][e.partition]
                        and type(e.event) in projection.handles
                    }
                    if keys:
                        yield name, workspace.decode(), tuple(keys)
