"""`python -m streams.rebuild.worker`: folds journal partitions into new tables, as its parent process instructs.

Reads JSON lines from standard input: a RebuildSpec, then groups of partitions to read together. Exits when the input
ends. Writes JSON lines to standard output: {"read": n} events, {"done": GroupDone} after a group, {"failed": "…"} last.
"""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec

from crm.output import write_out
from crm.projection import Projection
from streams.rebuild.failures import sentence
from streams.rebuild.fold.decoder import Decoder
from streams.rebuild.fold.field_pruning import UnreadField, fields_read
from streams.rebuild.fold.fold import Fold, FoldFailed
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition, kafka_client
from streams.rebuild.read.mixed_source import MixedSource
from streams.rebuild.read.source import Source
from streams.rebuild.spec import RebuildSpec, load_projections
from streams.rebuild.write.postgres_sink import PostgresSink


class GroupDone(msgspec.Struct):
    """A group of partitions is folded and its rows are committed."""

    partitions: tuple[int, ...]
    offsets: dict[int, int]  # the next offset by partition
    rows: dict[str, int]
    unknown: dict[int, tuple[int, int, int]]  # by schema id: events skipped; partition and position of one


FoldGroup = Callable[[Sequence[int]], Awaitable[GroupDone]]


def decoder(projections: Sequence[Projection[Any]], everything: bool) -> Decoder:
    """Returns a decoder for the events and fields that these folds read, or for all fields if `everything`."""
    kinds = {kind for projection in projections for kind in projection.handles}
    return Decoder(kinds, None if everything else fields_read(projections))


class RebuildWorker:
    """Folds groups of partitions. Reuses its connections and its decoder from one group to the next."""

    def __init__(self, spec: RebuildSpec) -> None:
        self.spec, self.projections = spec, load_projections(spec.projections, spec.file, spec.schema)
        self.decoder = decoder(self.projections, spec.everything)
        self.sinks = [PostgresSink(spec.dsn, projection) for projection in self.projections]
        self.kafka = kafka_client(spec.bootstrap)

    def source(self, until: dict[int, int]) -> AbstractAsyncContextManager[Source]:
        """Opens the archive followed by Kafka if the spec names an archive, else Kafka alone."""
        spec = self.spec
        if spec.archive:
            return nullcontext(MixedSource(Path(spec.archive), spec.bootstrap, spec.topic, until))
        return KafkaSource(spec.bootstrap, spec.topic, dict.fromkeys(until, ReadPosition()), until, self.kafka)

    async def group(self, partitions: Sequence[int]) -> GroupDone:
        """Folds these partitions and commits their rows."""
        spec, decoder = self.spec, self.decoder
        decoder.unknown = {}
        budget = spec.budget // len(self.projections)
        folds = [Fold(p, sink, budget) for p, sink in zip(self.projections, self.sinks, strict=True)]
        until = {p: spec.until[p] for p in partitions}
        offsets = dict.fromkeys(partitions, 0)
        where: dict[int, int] = {}
        async with self.source(until) as source:
            async for chunk in source.chunks():
                found = list(decoder.decode(chunk))
                for fold in folds:
                    fold.take(chunk, found)
                # A position serves as an offset: repeats only add records, so the record is never before it.
                offsets[chunk.partition] = chunk.end if chunk.next_offset < 0 else chunk.next_offset
                for id in decoder.unknown.keys() - where.keys():
                    where[id] = chunk.partition
                send({"read": len(chunk.values)})
        for fold in folds:
            fold.finish()
        unknown = {id: (skipped.number, where[id], skipped.first) for id, skipped in decoder.unknown.items()}
        return GroupDone(tuple(partitions), offsets, {f.projection.name: f.rows for f in folds}, unknown)


def send(message: dict[str, Any]) -> None:
    """Writes one line for the parent process."""
    write_out(msgspec.json.encode(message) + b"\n")


def failure(error: BaseException) -> dict[str, Any]:
    """Returns the last message. `everything`: the cause may be a field that was not decoded."""
    return {"failed": sentence(error), "everything": isinstance(error, UnreadField | FoldFailed)}


def end_with_parent(lines: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    """Queues the lines of standard input. Exits the process when the input ends, whatever it is doing."""
    for line in sys.stdin.buffer:
        loop.call_soon_threadsafe(lines.put_nowait, line)
    os._exit(0)


async def serve(
    prepare: Callable[[bytes], Awaitable[FoldGroup]], failure: Callable[[BaseException], dict[str, Any]]
) -> None:
    """Folds groups until the input ends.

    `prepare` makes the folding function from the first line; `failure` makes the last message from an error.
    """
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    threading.Thread(target=end_with_parent, args=(lines, asyncio.get_running_loop()), daemon=True).start()
    try:
        group = await prepare(await lines.get())
        while True:
            done = await group(msgspec.json.decode(await lines.get(), type=list[int]))
            send({"done": msgspec.to_builtins(done)})
    except Exception as error:
        send(failure(error))
        os._exit(1)


async def prepare(spec: bytes) -> FoldGroup:
    """Connects to the servers that the spec names."""
    work = RebuildWorker(msgspec.json.decode(spec, type=RebuildSpec))
    await work.kafka.bootstrap()
    return work.group


if __name__ == "__main__":
    gc.disable()  # rows and events have no reference cycles, and there are millions
    asyncio.run(serve(prepare, failure))
