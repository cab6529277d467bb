"""Catches up: folds the events that arrived during a rebuild into its tables, the way the project role does."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.contract.codec import decode, type_of
from crm.projection import Projection
from streams.project import ProjectionBatch
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition

BATCH = 5_000  # events


async def fold_range(
    conn: AsyncConnection,
    projections: Sequence[Projection[Any]],
    bootstrap: str,
    topic: str,
    begins: Mapping[int, ReadPosition],
    until: Mapping[int, int],
) -> dict[int, ReadPosition]:
    """Folds the positions from `begins` to before `until` in the caller's transaction. Returns where it stopped."""
    at = dict(begins)
    handled = {kind for projection in projections for kind in projection.handles}
    async with KafkaSource(bootstrap, topic, begins, until) as source:
        async for chunk in source.chunks():
            values = chunk.values.to_list()
            for n in range(0, len(values), BATCH):
                events = [decode(value) for value in values[n : n + BATCH] if type_of(value) in handled]
                for projection in projections:
                    batch = ProjectionBatch(projection, events)
                    if projection.needs_row and batch.keys:
                        await batch.receive(await batch.load(conn))
                    batch.fold()
                    await batch.save(conn)
            at[chunk.partition] = ReadPosition(chunk.next_offset, chunk.end)
    return at
