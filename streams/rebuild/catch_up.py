"""The last stretch: what the journal got meanwhile goes into the new tables as the project role would do it."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.contract.codec import decode, type_of
from crm.projection import Projection
from streams.project import Folding
from streams.rebuild.read.kafka_source import Begin, KafkaSource

AT_ONCE = 5_000  # events
Places = dict[int, Begin]


async def follow(
    conn: AsyncConnection,
    projections: Sequence[Projection[Any]],
    bootstrap: str,
    topic: str,
    begins: Mapping[int, Begin],
    until: Mapping[int, int],
) -> Places:
    """Folds the positions from `begins` to before `until`, in the caller's transaction. Gives where it ended."""
    at = dict(begins)
    handled = {kind for projection in projections for kind in projection.handles}
    async with KafkaSource(bootstrap, topic, begins, until) as source:
        async for slab in source.slabs():
            values = slab.values.to_list()
            for n in range(0, len(values), AT_ONCE):
                events = [decode(value) for value in values[n : n + AT_ONCE] if type_of(value) in handled]
                for projection in projections:
                    folding = Folding(projection, events)
                    if projection.needs_row and folding.keys:
                        await folding.loaded(await folding.load(conn))
                    folding.fold()
                    await folding.save(conn)
            at[slab.partition] = Begin(slab.next_offset, slab.end)
    return at
