"""`python -m streams.rebuild.worker`: folds journal partitions into tables that are being built, as it is told to.

Standard input has a `Spec`, then a line for each group of partitions that are read together; its end is the order to
end. Standard output tells, a line of JSON each: {"read": n}, {"done": …} after a group, {"failed": "…"} at last.
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

from crm.projection import Projection
from streams.rebuild.failures import sentence
from streams.rebuild.fold.decoder import Decoder
from streams.rebuild.fold.field_pruning import UnreadField, fields_read
from streams.rebuild.fold.fold import Fold, FoldFailed
from streams.rebuild.read.kafka_source import Begin, KafkaSource, kafka_client
from streams.rebuild.read.mixed_source import MixedSource
from streams.rebuild.read.source import Source
from streams.rebuild.spec import Spec, load
from streams.rebuild.write.postgres_sink import PostgresSink


class Done(msgspec.Struct):
    """A group of partitions is folded and its rows are committed."""

    partitions: tuple[int, ...]
    offsets: dict[int, int]  # next of each
    rows: dict[str, int]
    unknown: dict[int, tuple[int, int, int]]  # by schema id: how many were passed over; partition and position of one


Group = Callable[[Sequence[int]], Awaitable[Done]]


def decoder(projections: Sequence[Projection[Any]], everything: bool) -> Decoder:
    """Decodes what these folds handle and read."""
    kinds = {kind for projection in projections for kind in projection.handles}
    return Decoder(kinds, None if everything else fields_read(projections))


class Work:
    """What a process keeps from one group of partitions to the next: its connections, and what is decoded."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.projections = spec, load(spec.projections, spec.file, spec.schema)
        self.decoding = decoder(self.projections, spec.everything)
        self.sinks = [PostgresSink(spec.dsn, projection) for projection in self.projections]
        self.kafka = kafka_client(spec.bootstrap)

    def source(self, begins: dict[int, Begin], until: dict[int, int]) -> AbstractAsyncContextManager[Source]:
        spec = self.spec
        if spec.archive:
            return nullcontext(MixedSource(Path(spec.archive), spec.bootstrap, spec.topic, until))
        return KafkaSource(spec.bootstrap, spec.topic, begins, until, self.kafka)

    async def group(self, partitions: Sequence[int]) -> Done:
        spec, decoding = self.spec, self.decoding
        decoding.unknown = {}
        budget = spec.budget // len(self.projections)
        folds = [Fold(p, sink, budget) for p, sink in zip(self.projections, self.sinks, strict=True)]
        begins = {p: Begin(*spec.begins.get(p, (0, 0))) for p in partitions}
        until = {p: spec.until[p] for p in partitions}
        offsets = {p: begin.offset for p, begin in begins.items()}
        where: dict[int, int] = {}
        async with self.source(begins, until) as source:
            async for slab in source.slabs():
                found = list(decoding.decode(slab))
                for fold in folds:
                    fold.take(slab, found)
                # A position will do as an offset: repeats only add, so none lies before it.
                offsets[slab.partition] = slab.end if slab.next_offset < 0 else slab.next_offset
                for id in decoding.unknown.keys() - where.keys():
                    where[id] = slab.partition
                tell({"read": len(slab.values)})
        for fold in folds:
            fold.finish()
        unknown = {id: (told.number, where[id], told.first) for id, told in decoding.unknown.items()}
        return Done(tuple(partitions), offsets, {f.projection.name: f.rows for f in folds}, unknown)


def tell(said: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def failure(error: BaseException) -> dict[str, Any]:
    """`everything`: it may be for a field that was not decoded."""
    return {"failed": sentence(error), "everything": isinstance(error, UnreadField | FoldFailed)}


def end_with_parent(lines: "asyncio.Queue[bytes]", loop: asyncio.AbstractEventLoop) -> None:
    """Reads orders; when their end comes the process ends, in the middle of whatever it does."""
    for line in sys.stdin.buffer:
        loop.call_soon_threadsafe(lines.put_nowait, line)
    os._exit(0)


async def obey(
    prepare: Callable[[bytes], Awaitable[Group]], failure: Callable[[BaseException], dict[str, Any]]
) -> None:
    """Until it is told to end. `prepare` makes of the first line what folds groups; `failure`: what is said at last."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    threading.Thread(target=end_with_parent, args=(lines, asyncio.get_running_loop()), daemon=True).start()
    try:
        group = await prepare(await lines.get())
        while True:
            done = await group(msgspec.json.decode(await lines.get(), type=list[int]))
            tell({"done": msgspec.to_builtins(done)})
    except Exception as error:
        tell(failure(error))
        os._exit(1)


async def prepared(spec: bytes) -> Group:
    work = Work(msgspec.json.decode(spec, type=Spec))
    await work.kafka.bootstrap()
    return work.group


if __name__ == "__main__":
    gc.disable()  # rows and events hold no cycles, and there are millions
    asyncio.run(obey(prepared, failure))
