"""The journal in Kafka, read once. Notes what is wrong with its records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer, read_range
from crm.contract.codec import decode, type_of
from crm.envelope import Event
from crm.errors import Malformed
from crm.scalars import Id
from crm.topics import JOURNAL, journal_partition
from tests.chaos.invariants.positions import Positions
from tests.chaos.invariants.violations import violation

FETCH = 4 * 1024 * 1024  # bytes of a partition at once


class Entry(NamedTuple):
    """One record of the journal."""

    position: int | None
    value: bytes
    id: Id


@dataclass
class Journal:
    """Each event once. `unread`: ids of events with an unknown schema, written by a newer release."""

    partitions: dict[int, list[tuple[int, Event]]] = field(default_factory=dict)  # with its position
    heads: dict[int, int] = field(default_factory=dict)  # the next position of each partition
    unread: set[Id] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    @property
    def events(self) -> Iterable[Event]:
        """Yields the events of one partition after another: each stream is in order."""
        return (event for events in self.partitions.values() for _, event in events)


def journal_of(records: Mapping[int, Iterable[Entry]]) -> Journal:
    """Makes a journal of the records of each partition, in offset order."""
    journal = Journal()
    all_positions = {partition: Positions(partition) for partition in records}
    for partition, entries in records.items():
        for entry in entries:
            take(journal, all_positions[partition], entry)
    return finished(journal, all_positions.values())


def take(journal: Journal, positions: Positions, entry: Entry) -> None:
    if not positions.new(entry.position, entry.value) or entry.position is None:
        return
    if type_of(entry.value) is None:
        journal.unread.add(entry.id)
        return
    try:
        event: Event = decode(entry.value)
    except Malformed as error:
        positions.offends("events cannot be read", f"{entry.position}: {error}")
        return
    if journal_partition(event.meta.stream) != positions.partition:
        positions.offends("events lie in another partition than their stream", f"{entry.position}")
    if event.meta.id != entry.id:
        positions.offends("events have another id in their header", f"{entry.position}")
    journal.partitions.setdefault(positions.partition, []).append((entry.position, event))


def finished(journal: Journal, all_positions: Iterable[Positions]) -> Journal:
    wrong: dict[str, list[str]] = {}
    for positions in all_positions:
        journal.heads[positions.partition] = len(positions.prints)
        for what, examples in positions.wrong.items():
            wrong.setdefault(what, []).extend(examples)
    journal.broken = [text for what, examples in wrong.items() for text in violation(what, examples)]
    return journal


async def read(bootstrap: str) -> Journal:
    """Reads the journal's topic to its end."""
    journal = Journal()
    all_positions = {partition: Positions(partition) for partition in range(JOURNAL.partitions)}
    async with open_consumer(bootstrap, max_partition_fetch_bytes=FETCH, fetch_max_wait_ms=20) as consumer:
        topic = [TopicPartition(JOURNAL.name, partition) for partition in all_positions]
        begins, ends = await consumer.beginning_offsets(topic), await consumer.end_offsets(topic)
        async for found in read_range(consumer, {tp: (begins[tp], ends[tp]) for tp in topic}):
            for tp, records in found.items():
                for record in records:
                    take(journal, all_positions[tp.partition], entry_of(record.value or b"", record.headers))
    return finished(journal, all_positions.values())


def entry_of(value: bytes, headers: Sequence[tuple[str, Any]]) -> Entry:
    said = dict(headers)
    position = said.get("position", b"")
    return Entry(int(position) if position.isdigit() else None, value, Id(said.get("ce_id", b"").decode()))
