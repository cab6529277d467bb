"""Saves Kafka's records into the archive: each partition from the end of its last complete file to its present end."""

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.archive import manifest
from crm.adapters.archive.container import Container, encode
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Partition
from crm.adapters.kafka.reading import open_consumer, read_range
from crm.contract.generate import SCHEMAS
from crm.errors import Broken
from crm.topics import JOURNAL
from services.operations.archive.progress import Advance
from services.stack.topics import Admin

MAX_BYTES, MAX_RECORDS = 64 << 20, 1_000_000  # of one file
FETCH = 8 << 20  # bytes of one response
ShowProgress = Callable[[str, int], contextlib.AbstractContextManager[Advance]]  # called with a title and a total


async def save(bootstrap: str, folder: Path, topics: Iterable[str], progress: ShowProgress) -> dict[Partition, int]:
    """Returns how many records were added per partition. Can be interrupted: files in the manifest are complete.

    Raises Broken before writing anything when Kafka does not continue where the archive ends.
    """
    with manifest.held(folder):
        for left in folder.rglob("*.partial"):
            left.unlink()
        known = manifest.read(folder) if (folder / manifest.NAME).exists() else Manifest()
        places = await partitions(bootstrap, topics)
        async with reader(bootstrap) as consumer:
            spans = await new_ranges(consumer, known, places)
            manifest.put(folder / "registry.json", (SCHEMAS / "registry.json").read_bytes())
            manifest.write(folder, known)
            counts = {}
            with progress("Archiving", sum(end - begin for begin, end in spans.values())) as advance:
                for place, (begin, end) in spans.items():
                    try:
                        counts[place] = await partition(consumer, folder, known, place, begin, end, advance)
                    except OSError as error:
                        free = shutil.disk_usage(folder).free
                        raise Broken(
                            f"{place[0]}/{place[1]} could not be written to {folder}: {error.strerror} "
                            f"({free >> 20:,} MB free). All complete files are kept: run it again to resume."
                        ) from None
    return counts


def reader(bootstrap: str) -> contextlib.AbstractAsyncContextManager[AIOKafkaConsumer]:
    return open_consumer(
        bootstrap,
        max_partition_fetch_bytes=FETCH,
        fetch_max_bytes=2 * FETCH,
        fetch_max_wait_ms=20,  # the next partition's first fetch waits for this one's last
    )


async def partitions(bootstrap: str, topics: Iterable[str]) -> list[Partition]:
    """Returns the partitions of these topics. Raises Broken for a topic that does not exist."""
    wanted = sorted(topics)
    async with Admin(bootstrap) as admin:
        if missing := sorted(set(wanted) - set(await admin.list_topics())):
            raise Broken(f"Kafka has no topic {', '.join(missing)}. Nothing was archived.")
        found = await admin.describe_topics(wanted)
    return sorted((topic["topic"], each["partition"]) for topic in found for each in topic["partitions"])


async def new_ranges(
    consumer: AIOKafkaConsumer, known: Manifest, places: Iterable[Partition]
) -> dict[Partition, tuple[int, int]]:
    """Returns the offsets to archive per partition: first, and the one after the last."""
    tps = [TopicPartition(*place) for place in places]
    begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    archived = known.by_partition()
    spans = {}
    for tp in tps:
        files = archived.get((tp.topic, tp.partition), [])
        begin, end = files[-1].last + 1 if files else 0, ends[tp]
        where = f"{tp.topic}/{tp.partition}"
        if end < begin:
            raise Broken(
                f"{where}: the archive has offsets up to {begin - 1}, Kafka ends before {end}. Nothing was archived. "
                "If this is another Kafka, use another folder; if it lost records, run `crm archive load`."
            )
        if begins[tp] > begin and tp.topic not in COMPACTED:
            raise Broken(
                f"{where}: offsets {begin} to {begins[tp] - 1} are neither in Kafka nor in the archive. Nothing was "
                "archived. Check the topic's retention; --topics archives the others."
            )
        if files and begins[tp] < begin and not await same(consumer, tp, files[-1]):
            raise Broken(
                f"{where}: Kafka's record at offset {begin - 1} differs from the archive's. Nothing was archived. "
                "This is another Kafka: use another folder."
            )
        if end > begin:
            spans[tp.topic, tp.partition] = begin, end
    return spans


async def same(consumer: AIOKafkaConsumer, tp: TopicPartition, file: File) -> bool:
    """Whether Kafka has the archive's last record at its offset, or has compacted it away."""
    async for records in fetches(consumer, tp, file.last, file.last + 1):
        return hashlib.sha256(encode(records[0])).hexdigest() == file.last_record
    return True


async def fetches(consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int, end: int) -> AsyncIterator[Sequence[Any]]:
    """Yields the partition's records from `begin` to before `end`, by fetch. Raises Broken when Kafka falls silent."""
    try:
        async for found in read_range(consumer, {tp: (begin, end)}):
            yield found[tp]
    except TimeoutError as error:
        raise Broken(str(error)) from None


async def partition(
    consumer: AIOKafkaConsumer, folder: Path, known: Manifest, place: Partition, begin: int, end: int, advance: Advance
) -> int:
    """Writes the partition's new files, adding each to the manifest once complete. Returns the number of records."""
    total = 0
    writing: Writing | None = None
    try:
        async for records in fetches(consumer, TopicPartition(*place), begin, end):
            writing = writing or Writing(folder, place, records[0].offset)
            await asyncio.to_thread(writing.add, records)  # while Kafka's next response arrives
            advance(len(records))
            if writing.full:
                total += writing.finish(known)
                writing = None
        if writing:
            total += writing.finish(known)
            writing = None
    finally:
        if writing:
            writing.drop()
    return total


class Writing:
    """A file being written, under a temporary name until it is complete."""

    def __init__(self, folder: Path, place: Partition, first: int) -> None:
        self.folder, self.place, self.first, self.last, self.count = folder, place, first, first - 1, 0
        self.path = folder / place[0] / f"{place[1]:02}" / f"{first:020}.avro"
        self.temporary = self.path.with_suffix(".partial")
        self.path.parent.parent.mkdir(0o700, exist_ok=True)
        self.path.parent.mkdir(0o700, exist_ok=True)
        self.container = Container(self.temporary, *place)
        self.positions: list[int] = []  # first and highest
        self.frames: set[bytes] = set()
        self.last_record = b""

    @property
    def full(self) -> bool:
        return self.container.size() >= MAX_BYTES or self.count >= MAX_RECORDS

    def add(self, records: Sequence[Any]) -> None:
        """Adds consecutive records. Raises Broken when an offset is missing."""
        if self.place[0] not in COMPACTED and records[-1].offset != self.last + len(records):
            raise Broken(
                f"{self.place[0]}/{self.place[1]}: Kafka skipped offsets after {self.last}. "
                "All complete files are kept; check the topic before you run it again."
            )
        self.container.add(records)
        self.frames.update(record.value[:5] for record in records if record.value is not None)
        self.count += len(records)
        self.last, self.last_record = records[-1].offset, encode(records[-1])
        if self.place[0] == JOURNAL.name:
            found = [position for record in records if (position := position_of(record)) is not None]
            if seen := [*self.positions, *found]:
                self.positions = [seen[0], max(seen)]

    def finish(self, known: Manifest) -> int:
        """Moves the file to its name, adds it to the manifest, and returns its number of records."""
        self.container.finish()
        with self.temporary.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        first_position, last_position = self.positions or (None, None)
        file = File(
            path=str(self.path.relative_to(self.folder)),
            topic=self.place[0],
            partition=self.place[1],
            first=self.first,
            last=self.last,
            count=self.count,
            first_position=first_position,
            last_position=last_position,
            size=self.temporary.stat().st_size,
            sha256=digest,
            last_record=hashlib.sha256(self.last_record).hexdigest(),
            schema_ids=sorted(int.from_bytes(frame[1:]) for frame in self.frames if len(frame) == 5 and not frame[0]),
        )
        self.temporary.rename(self.path)
        manifest.settle(self.path.parent)
        known.files.append(file)
        manifest.write(self.folder, known)
        return self.count

    def drop(self) -> None:
        self.container.file.close()
        self.temporary.unlink(missing_ok=True)


def position_of(record: Any) -> int | None:
    """Returns the position of a journal record, from its headers."""
    return next((int(value) for name, value in record.headers if name == "position"), None)
