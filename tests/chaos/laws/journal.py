"""The journal as it lies in Kafka, read once; what is wrong with its records is noted on the way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.contract.codec import decode, type_of
from crm.envelope import Event
from crm.errors import Malformed
from crm.scalars import Id
from crm.topics import JOURNAL, journal_partition
from tests.chaos.laws.positions import Positions
from tests.chaos.laws.sentences import sentence

FETCH = 4 * 1024 * 1024  # bytes of a partition at once


class Entry(NamedTuple):
    """One record of the journal."""

    position: int | None
    value: bytes
    id: Id


@dataclass
class Journal:
    """Each event once. `unread` are ids of events of a newer version, whose schema is not known here."""

    partitions: dict[int, list[tuple[int, Event]]] = field(default_factory=dict)  # with its position
    heads: dict[int, int] = field(default_factory=dict)  # the next position of each partition
    unread: set[Id] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    @property
    def events(self) -> Iterable[Event]:
        """Partition by partition: each stream in its order."""
        return (event for events in self.partitions.values() for _, event in events)


def journal_of(records: Mapping[int, Iterable[Entry]]) -> Journal:
    """From the records of each partition, in the order of their offsets."""
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
    journal.broken = [text for what, examples in wrong.items() for text in sentence(what, examples)]
    return journal


async def read(bootstrap: str) -> Journal:
    """All that the journal's topic has now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=FETCH, fetch_max_wait_ms=20
    )
    journal = Journal()
    all_positions = {partition: Positions(partition) for partition in range(JOURNAL.partitions)}
    async with consumer:
        topic = [TopicPartition(JOURNAL.name, partition) for partition in all_positions]
        consumer.assign(topic)
        await consumer.seek_to_beginning(*topic)
        ends = await consumer.end_offsets(topic)
        while [1 for tp in topic if await consumer.position(tp) < ends[tp]]:
            for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    take(journal, all_positions[tp.partition], entry_of(record.value or b"", record.headers))
    return finished(journal, all_positions.values())


def entry_of(value: bytes, headers: Sequence[tuple[str, Any]]) -> Entry:
    said = dict(headers)
    position = said.get("position", b"")
    return Entry(int(position) if position.isdigit() else None, value, Id(said.get("ce_id", b"").decode()))
