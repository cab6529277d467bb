"""Reads the facts of a period from the intake topics, and older ones from an archive."""

from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from crm.adapters.archive import container, manifest
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.contract.codec import decode
from crm.envelope import Fact
from crm.errors import Broken, Malformed
from crm.scalars import Id, Micros
from crm.topics import INTAKE, Topic

AT_ONCE = 1_000  # records
SILENCE = 30.0  # seconds without an answer
Advance = Callable[[int], None]


class PastFact(NamedTuple):
    """A fact as it was understood then, and its record's topic, partition and offset."""

    fact: Any
    topic: str
    partition: int
    offset: int


async def past_facts(
    bootstrap: str,
    connections: Container[Id],
    since: Micros,
    until: Micros,
    decided: Mapping[tuple[str, int], int],
    total: Callable[[int], Advance],
    topics: Sequence[Topic] = tuple(INTAKE.values()),
    archive: Path | None = None,
) -> AsyncIterator[PastFact]:
    """Yields facts of these connections that were recorded from `since` to before `until`, in order per partition.

    Stops at decide's next offsets (`decided`): later facts will be decided as they are. Records that Kafka no longer
    has are read from `archive`. Raises TimeoutError when Kafka does not answer for SILENCE seconds, Broken when neither
    has the records.
    """
    async with open_consumer(bootstrap) as consumer:
        at, ends, lost = await ranges(consumer, topics, since, decided)
        advance = total(sum(ends[tp] - offset for tp, offset in at.items()))
        older = {tp: archived(archive, tp.topic, tp.partition, before) for tp, before in lost.items()}
        for tp, kept in older.items():  # before anything is changed: raises Broken if records are missing
            for record in kept:
                if one := wanted(tp.topic, tp.partition, record, connections, since, until):
                    yield one
        async for found in read_range(
            consumer, {tp: (offset, ends[tp]) for tp, offset in at.items()}, AT_ONCE, SILENCE
        ):
            for tp, records in found.items():
                for record in records:
                    if one := wanted(tp.topic, tp.partition, record, connections, since, until):
                        yield one
                before, at[tp] = at[tp], records[-1].offset + 1
                advance(at[tp] - before)


async def ranges(
    consumer: Any, topics: Sequence[Topic], since: Micros, decided: Mapping[tuple[str, int], int]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Returns the first and end offsets of the partitions with records since then; and, of those that may have lost
    records of the period, the first offset that Kafka still has."""
    tps = [TopicPartition(topic.name, n) for topic in topics for n in range(topic.partitions)]
    last = await consumer.end_offsets(tps)
    ends = {tp: min(end, decided.get(tp, 0)) for tp, end in last.items()}
    stamps = await consumer.offsets_for_times({tp: max(0, since // 1000) for tp in tps})
    at = {tp: stamp.offset for tp, stamp in stamps.items() if stamp and stamp.offset < ends[tp]}
    begins = await consumer.beginning_offsets(tps)
    firsts = {tp: stamps[tp].offset if stamps[tp] else last[tp] for tp in tps}  # since then
    return at, ends, {tp: begin for tp, begin in begins.items() if begin and firsts[tp] <= begin}


def archived(folder: Path | None, topic: str, partition: int, before: int) -> Iterator[Any]:
    """Returns the archive's records of a partition before an offset. Raises Broken when some are missing."""
    known = (
        folder and (folder / manifest.NAME).exists() and manifest.read(folder).by_partition().get((topic, partition))
    )
    if not folder or not known or known[-1].last < before - 1:
        raise Broken(
            f"Records of {topic}/{partition} before offset {before}, which may belong to this period, are neither in "
            "Kafka nor in an archive. Nothing was changed. Give an archive with --archive, or a later --since."
        )
    files = [file for file in known if file.first < before]
    return (record for file in files for record in read_intact(folder, file) if record.offset < before)


def read_intact(folder: Path, file: manifest.File) -> Iterator[Any]:
    if wrong := manifest.damaged(folder, file):
        raise Broken(
            f"The archive {folder} is damaged. {wrong} Earlier records are done. Run it again with an intact copy."
        )
    return container.read(folder / file.path)


def wanted(
    topic: str, partition: int, record: Any, connections: Container[Id], since: Micros, until: Micros
) -> PastFact | None:
    """Returns the fact of a record; None for another connection or period, or when it is unreadable (quarantined)."""
    try:
        fact: Fact = decode(record.value or b"")
    except Malformed:
        return None
    if fact.meta.source not in connections or not since <= fact.meta.recorded_at < until:
        return None
    return PastFact(fact, topic, partition, record.offset) if hasattr(fact, "raw") else None
