"""Facts that came in since a moment, out of the intake topics, each with where it lies; the oldest from an archive."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.archive import container, manifest
from crm.adapters.kafka.consumer import begin, let_go
from crm.contract.codec import decode
from crm.envelope import Fact
from crm.errors import Broken, Malformed
from crm.scalars import Id, Micros
from crm.topics import INTAKE, Topic

AT_ONCE = 1_000  # records
SILENCE = 30.0  # seconds without an answer
Advance = Callable[[int], None]


class Past(NamedTuple):
    """A fact as it was understood then, and where it lies."""

    fact: Any
    topic: str
    partition: int
    offset: int


async def past(
    bootstrap: str,
    connections: Container[Id],
    since: Micros,
    until: Micros,
    decided: Mapping[tuple[str, int], int],
    total: Callable[[int], Advance],
    topics: Sequence[Topic] = tuple(INTAKE.values()),
    archive: Path | None = None,
) -> AsyncIterator[Past]:
    """Facts of these connections that were recorded from `since` to before `until`, in each partition's own order.

    Up to where decide has come (`decided`: its next offsets): what is still undecided will be decided as it is. What
    Kafka no longer has is read from `archive`. Raises TimeoutError when Kafka says nothing for SILENCE seconds, Broken
    when neither has it.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50)
    try:
        await begin(consumer)
        at, ends, lost = await places(consumer, topics, since, decided)
        advance = total(sum(ends[tp] - offset for tp, offset in at.items()))
        older = {tp: archived(archive, tp.topic, tp.partition, before) for tp, before in lost.items()}
        for tp, kept in older.items():  # all are there: nothing is changed before that is known
            for record in kept:
                if one := wanted(tp.topic, tp.partition, record, connections, since, until):
                    yield one
        for tp, offset in at.items():
            consumer.seek(tp, offset)
        while any(at[tp] < ends[tp] for tp in at):
            async with asyncio.timeout(SILENCE):
                found = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
            for tp, records in found.items():
                for record in records:
                    one = wanted(tp.topic, tp.partition, record, connections, since, until)
                    if one and record.offset < ends[tp]:
                        yield one
                before, at[tp] = at[tp], records[-1].offset + 1
                advance(min(at[tp], ends[tp]) - before)
    finally:
        await let_go(consumer)


async def places(
    consumer: Any, topics: Sequence[Topic], since: Micros, decided: Mapping[tuple[str, int], int]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Where to begin and where to end, of the partitions that hold anything since then, which it assigns; and of those
    whose beginning Kafka no longer has, the first offset that it has, unless that is from before `since`."""
    tps = [TopicPartition(topic.name, n) for topic in topics for n in range(topic.partitions)]
    last = await consumer.end_offsets(tps)
    ends = {tp: min(end, decided.get(tp, 0)) for tp, end in last.items()}
    stamps = await consumer.offsets_for_times({tp: max(0, since // 1000) for tp in tps})
    at = {tp: stamp.offset for tp, stamp in stamps.items() if stamp and stamp.offset < ends[tp]}
    if at:
        consumer.assign(list(at))
    begins = await consumer.beginning_offsets(tps)
    firsts = {tp: stamps[tp].offset if stamps[tp] else last[tp] for tp in tps}  # since then
    return at, ends, {tp: begin for tp, begin in begins.items() if begin and firsts[tp] <= begin}


def archived(folder: Path | None, topic: str, partition: int, before: int) -> Iterator[Any]:
    """The archive's records of a partition to before an offset. Raises Broken when it does not have all of them."""
    known = folder and (folder / manifest.NAME).exists() and manifest.read(folder).by_place().get((topic, partition))
    if not folder or not known or known[-1].last < before - 1:
        raise Broken(
            f"Kafka does not have {topic}/{partition} before offset {before}, which may be of this period, and neither "
            "has an archive. Nothing was changed. Name one with --archive, or a later --since."
        )
    files = [file for file in known if file.first < before]
    return (record for file in files for record in whole(folder, file) if record.offset < before)


def whole(folder: Path, file: manifest.File) -> Iterator[Any]:
    if wrong := manifest.damaged(folder, file):
        raise Broken(
            f"The archive {folder} is damaged. {wrong} What was read before it is done. Run it on a whole one."
        )
    return container.read(folder / file.path)


def wanted(
    topic: str, partition: int, record: Any, connections: Container[Id], since: Micros, until: Micros
) -> Past | None:
    """None for what is another connection's, of another time, or cannot be read: that waits in quarantine."""
    try:
        fact: Fact = decode(record.value or b"")
    except Malformed:
        return None
    if fact.meta.source not in connections or not since <= fact.meta.recorded_at < until:
        return None
    return Past(fact, topic, partition, record.offset) if hasattr(fact, "raw") else None
