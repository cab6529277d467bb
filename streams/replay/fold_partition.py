"""Folds one partition of the history into parts."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import polars as pl

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.fold.decoder import Decoded, Decoder
from streams.rebuild.fold.field_pruning import names_read
from streams.rebuild.fold.fold import Fold
from streams.rebuild.read.archive_source import ArchiveSource
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition
from streams.rebuild.read.mixed_source import MixedSource
from streams.rebuild.read.source import Chunk
from streams.replay.options import EventFilter
from streams.replay.parts import PartsSink
from streams.replay.worker_spec import ReplaySpec


async def fold_partition(
    spec: ReplaySpec, projections: Sequence[Projection[Any]], partition: int, advance: Callable[[int], None]
) -> tuple[dict[str, int], dict[int, tuple[int, int, int]]]:
    """Folds one partition. `advance` gets the number of events of each chunk.

    Returns the number of rows by projection; and the skipped events: by schema id the number, the partition, and the
    position of one. Raises CrmError or UnreadField.
    """
    decoder = make_decoder(spec, projections)
    budget = spec.budget // len(projections)
    folds = [Fold(p, PartsSink(Path(spec.folder), p, partition), budget, spec.kept) for p in projections]
    async for chunk in chunks(spec, partition):
        found = [select_events(part, spec.events) for part in decoder.decode(chunk)]
        refuse_unknown(spec, decoder, partition)
        for fold in folds:
            fold.take(chunk, found)
        advance(len(chunk.values))
    for fold in folds:
        fold.finish()
    unknown = {id: (number, partition, first) for id, (_, number, first) in decoder.unknown.items()}
    return {fold.projection.name: fold.rows for fold in folds}, unknown


def make_decoder(spec: ReplaySpec, projections: Sequence[Projection[Any]]) -> Decoder:
    """Returns a decoder for the fields that these folds and the event filter read."""
    kinds = {kind for projection in projections for kind in projection.handles}
    wanted = {kind for kind in kinds if not spec.events.types or kind.__name__ in spec.events.types}
    keys = {projection.key for projection in projections}
    needed = keys | {"id", "workspace", f"{spec.events.clock}_at"}
    return Decoder(wanted, None if spec.everything else names_read([p.fold for p in projections]) | needed)


async def chunks(spec: ReplaySpec, partition: int) -> AsyncIterator[Chunk]:
    """Yields the partition's history from the archive, Kafka or both."""
    until = {partition: spec.until[partition]}
    if spec.archive and spec.bootstrap:
        async for chunk in MixedSource(Path(spec.archive), spec.bootstrap, spec.topic, until).chunks():
            yield chunk
    elif spec.archive:
        async for chunk in ArchiveSource(Path(spec.archive), {partition: 0}, until).chunks():
            yield chunk
    else:
        async with KafkaSource(spec.bootstrap, spec.topic, {partition: ReadPosition()}, until) as kafka:
            async for chunk in kafka.chunks():
                yield chunk


def select_events(part: Decoded, events: EventFilter) -> Decoded:
    """Returns the events that pass the filter."""
    columns = part.columns
    kept = pl.repeat(True, len(part.places), eager=True)
    if events.workspace:
        kept &= columns["meta.workspace"] == events.workspace
    if events.since is not None:
        kept &= columns[f"meta.{events.clock}_at"] >= events.since
    if events.until is not None:
        kept &= columns[f"meta.{events.clock}_at"] <= events.until
    if kept.all():
        return part
    return Decoded(part.kind, part.places.filter(kept), columns.filter(kept), list(compress(part.events, kept)))


def refuse_unknown(spec: ReplaySpec, decoder: Decoder, partition: int) -> None:
    """Raises Malformed for an event of an unknown schema, unless such events are skipped."""
    if decoder.unknown and not spec.skip_unknown:
        unknown = next(iter(decoder.unknown.values()))
        raise Malformed(
            f"Schema id {unknown.schema_id} of the event at position {unknown.first} of journal partition {partition} "
            "is not in the registry: a newer Potik wrote it. Nothing was written. Install the newer version, or skip "
            "such events with --skip-unknown."
        )
