"""What a process of a replay is told, and how it folds one partition."""

from collections.abc import Callable, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.fold.decoder import Decoded, Decoder
from streams.rebuild.fold.field_pruning import names_read
from streams.rebuild.fold.fold import Fold, FoldFailed
from streams.rebuild.read.archive_source import ArchiveSource
from streams.rebuild.read.kafka_source import Begin, KafkaSource
from streams.rebuild.read.mixed_source import MixedSource
from streams.replay.asked import Bounds
from streams.replay.parts import PartsSink

MEMORY = 1 << 30  # bytes of rows that later events may change, of all processes together


class Order(msgspec.Struct):
    """A replay. `until`: the next position of each partition, which is not read any more."""

    file: str  # that declares the projections
    folder: str  # for the parts
    names: tuple[str, ...]  # of those that are wanted
    until: dict[int, int]
    topic: str
    bootstrap: str = ""  # of Kafka; empty: from the archive alone
    archive: str = ""
    bounds: Bounds = Bounds()
    everything: bool = False  # decode all fields, read or not
    skip_unknown: bool = False
    budget: int = MEMORY  # of a process
    begins: dict[int, tuple[int, int]] = {}  # all from the beginning
    worker: str = "streams.replay.worker"
    kept: str = "Nothing was written."


class Folding(Fold):
    """A fold that says what a replay does when it fails."""

    def failed(self, *told: Any) -> FoldFailed:
        said = str(super().failed(*told)).partition("Nothing was")[0]
        return FoldFailed(f"{said}Nothing was written. Mend the fold and run it again.")


async def fold_partition(
    order: Order, projections: Sequence[Projection[Any]], partition: int, advance: Callable[[int], None]
) -> tuple[dict[str, int], dict[int, tuple[int, int, int]]]:
    """Its rows, by projection; and what was passed over: by schema id the number, the partition and one position."""
    decoding = decoder(order, projections)
    budget = order.budget // len(projections)
    folds = [Folding(p, PartsSink(Path(order.folder), p, partition), budget) for p in projections]
    async for slab in slabs(order, partition):
        found = [within(part, order.bounds) for part in decoding.decode(slab)]
        refuse_unknown(order, decoding, partition)
        for fold in folds:
            fold.take(slab, found)
        advance(len(slab.values))
    for fold in folds:
        fold.finish()
    unknown = {id: (passed, partition, first) for id, (_, passed, first) in decoding.unknown.items()}
    return {fold.projection.name: fold.rows for fold in folds}, unknown


def decoder(order: Order, projections: Sequence[Projection[Any]]) -> Decoder:
    """Decodes what these folds handle and read, and what the bounds look at."""
    kinds = {kind for projection in projections for kind in projection.handles}
    wanted = {kind for kind in kinds if not order.bounds.types or kind.__name__ in order.bounds.types}
    keys = {projection.key for projection in projections}
    needed = keys | {"id", "workspace", f"{order.bounds.clock}_at"}
    return Decoder(wanted, None if order.everything else names_read([p.fold for p in projections]) | needed)


async def slabs(order: Order, partition: int) -> Any:
    """The partition's history, from wherever it is asked for."""
    until = {partition: order.until[partition]}
    if order.archive and order.bootstrap:
        async for slab in MixedSource(Path(order.archive), order.bootstrap, order.topic, until).slabs():
            yield slab
    elif order.archive:
        async for slab in ArchiveSource(Path(order.archive), {partition: 0}, until).slabs():
            yield slab
    else:
        async with KafkaSource(order.bootstrap, order.topic, {partition: Begin()}, until) as kafka:
            async for slab in kafka.slabs():
                yield slab


def within(part: Decoded, bounds: Bounds) -> Decoded:
    """Of these events those that count."""
    columns = part.columns
    kept = pl.repeat(True, len(part.places), eager=True)
    if bounds.workspace:
        kept &= columns["meta.workspace"] == bounds.workspace
    if bounds.since is not None:
        kept &= columns[f"meta.{bounds.clock}_at"] >= bounds.since
    if bounds.until is not None:
        kept &= columns[f"meta.{bounds.clock}_at"] <= bounds.until
    if kept.all():
        return part
    events = list(compress(part.events, kept))
    return Decoded(part.kind, part.places.filter(kept), columns.filter(kept), events)


def refuse_unknown(order: Order, decoding: Decoder, partition: int) -> None:
    if decoding.unknown and not order.skip_unknown:
        told = next(iter(decoding.unknown.values()))
        raise Malformed(
            f"Schema id {told.schema_id} of the event at position {told.first} of journal partition {partition} is not "
            "in the registry: a newer Potik wrote it. Nothing was written. Take the newer version, or pass over such "
            "events with --skip-unknown."
        )
