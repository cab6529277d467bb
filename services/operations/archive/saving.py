"""From Kafka into the archive: each partition from where its last complete file ends up to where Kafka ends now."""

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
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Place
from crm.contract.generate import SCHEMAS
from crm.errors import Broken
from crm.topics import JOURNAL
from services.operations.archive.progress import Advance
from services.stack.topics import Admin

MAX_BYTES, MAX_RECORDS = 64 << 20, 1_000_000  # of one file
FETCH = 8 << 20  # bytes of one answer of Kafka
SILENCE = 60.0  # seconds
Told = Callable[[str, int], contextlib.AbstractContextManager[Advance]]  # what is done, how many there are


async def save(bootstrap: str, folder: Path, topics: Iterable[str], progress: Told) -> dict[Place, int]:
    """Returns how many records came to each partition's files. Raises Broken before anything is written when Kafka does
    not go on where the archive ends. Whenever it is ended, the files that the manifest names are complete."""
    with manifest.held(folder):
        for left in folder.rglob("*.partial"):
            left.unlink()
        known = manifest.read(folder) if (folder / manifest.NAME).exists() else Manifest()
        places = await partitions(bootstrap, topics)
        async with reader(bootstrap) as consumer:
            spans = await what_is_new(consumer, known, places)
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
                            f"({free >> 20:,} MB free). All complete files are kept: run it again to go on."
                        ) from None
    return counts


def reader(bootstrap: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH,
        fetch_max_bytes=2 * FETCH,
        fetch_max_wait_ms=20,  # the next partition's first answer waits for this one's last
    )


async def partitions(bootstrap: str, topics: Iterable[str]) -> list[Place]:
    """All that these topics have in Kafka. Raises Broken for a topic that is not there."""
    wanted = sorted(topics)
    async with Admin(bootstrap) as admin:
        if missing := sorted(set(wanted) - set(await admin.list_topics())):
            raise Broken(f"Kafka has no topic {', '.join(missing)}. Nothing was archived.")
        found = await admin.describe_topics(wanted)
    return sorted((topic["topic"], each["partition"]) for topic in found for each in topic["partitions"])


async def what_is_new(
    consumer: AIOKafkaConsumer, known: Manifest, places: Iterable[Place]
) -> dict[Place, tuple[int, int]]:
    """The offsets of each partition that are to be archived."""
    tps = [TopicPartition(*place) for place in places]
    begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    archived = known.by_place()
    spans = {}
    for tp in tps:
        files = archived.get((tp.topic, tp.partition), [])
        begin, end = files[-1].last + 1 if files else 0, ends[tp]
        where = f"{tp.topic}/{tp.partition}"
        if end < begin:
            raise Broken(
                f"{where}: the archive has offsets up to {begin - 1}, Kafka ends before {end}. Nothing was archived. "
                "Either this is another Kafka (give it another folder), or it lost its end (`crm archive load`)."
            )
        if begins[tp] > begin and tp.topic not in COMPACTED:
            raise Broken(
                f"{where}: offsets {begin} to {begins[tp] - 1} are gone from Kafka and in no file. Nothing was "
                "archived. Look at the topic's retention; --topics archives the others."
            )
        if files and begins[tp] < begin and not await same(consumer, tp, files[-1]):
            raise Broken(
                f"{where}: Kafka's record at offset {begin - 1} is not the archive's. Nothing was archived. "
                "This is another Kafka: give it another folder."
            )
        if end > begin:
            spans[tp.topic, tp.partition] = begin, end
    return spans


async def same(consumer: AIOKafkaConsumer, tp: TopicPartition, file: File) -> bool:
    """Whether Kafka has the archive's last record where the archive has it, or has compacted it away."""
    async for records in stretch(consumer, tp, file.last, file.last + 1):
        return hashlib.sha256(encode(records[0])).hexdigest() == file.last_record
    return True


async def stretch(consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int, end: int) -> AsyncIterator[Sequence[Any]]:
    """The partition's records from `begin` to before `end`, fetch by fetch. Raises Broken when Kafka falls silent."""
    if begin >= end:  # aiokafka's consumer cannot be stopped right after an assignment that nothing was fetched of
        return
    consumer.assign([tp])
    consumer.seek(tp, begin)
    loop = asyncio.get_running_loop()
    heard = loop.time()
    while (at := await consumer.position(tp)) < end:
        records = (await consumer.getmany(tp, timeout_ms=1000)).get(tp, [])
        if records:
            heard = loop.time()
            if records[-1].offset >= end:
                records = [record for record in records if record.offset < end]
            if records:
                yield records
        elif await consumer.position(tp) == at and loop.time() - heard > SILENCE:
            raise Broken(f"Kafka gave nothing of {tp.topic}/{tp.partition} for {SILENCE:.0f} s. Run it again later.")


async def partition(
    consumer: AIOKafkaConsumer, folder: Path, known: Manifest, place: Place, begin: int, end: int, advance: Advance
) -> int:
    """Writes the partition's new files and names each in the manifest once it is complete. Returns their records."""
    total = 0
    writing: Writing | None = None
    try:
        async for records in stretch(consumer, TopicPartition(*place), begin, end):
            writing = writing or Writing(folder, place, records[0].offset)
            await asyncio.to_thread(writing.add, records)  # Kafka's next answer is on its way meanwhile
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
    """A file on its way: under a name that nobody reads until it is complete."""

    def __init__(self, folder: Path, place: Place, first: int) -> None:
        self.folder, self.place, self.first, self.last, self.count = folder, place, first, first - 1, 0
        self.path = folder / place[0] / f"{place[1]:02}" / f"{first:020}.avro"
        self.beside = self.path.with_suffix(".partial")
        self.path.parent.parent.mkdir(0o700, exist_ok=True)
        self.path.parent.mkdir(0o700, exist_ok=True)
        self.container = Container(self.beside, *place)
        self.positions: list[int] = []  # first and highest
        self.frames: set[bytes] = set()
        self.last_record = b""

    @property
    def full(self) -> bool:
        return self.container.size() >= MAX_BYTES or self.count >= MAX_RECORDS

    def add(self, records: Sequence[Any]) -> None:
        """Raises Broken when an offset is left out."""
        if self.place[0] not in COMPACTED and records[-1].offset != self.last + len(records):
            raise Broken(
                f"{self.place[0]}/{self.place[1]}: Kafka left out offsets after {self.last}. "
                "All complete files are kept; look at the topic before you run it again."
            )
        self.container.add(records)
        self.frames.update(record.value[:5] for record in records if record.value is not None)
        self.count += len(records)
        self.last, self.last_record = records[-1].offset, encode(records[-1])
        if self.place[0] == JOURNAL.name:
            found = [position for record in records if (position := position_of(record)) is not None]
            self.positions = [self.positions[0], max(self.positions[1], *found)] if self.positions else edges(found)

    def finish(self, known: Manifest) -> int:
        """Afterwards the file is on the disk under its name, and in the manifest."""
        self.container.finish()
        with self.beside.open("rb") as content:
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
            size=self.beside.stat().st_size,
            sha256=digest,
            last_record=hashlib.sha256(self.last_record).hexdigest(),
            schema_ids=sorted(int.from_bytes(frame[1:]) for frame in self.frames if len(frame) == 5 and not frame[0]),
        )
        self.beside.rename(self.path)
        manifest.settle(self.path.parent)
        known.files.append(file)
        manifest.write(self.folder, known)
        return self.count

    def drop(self) -> None:
        self.container.file.close()
        self.beside.unlink(missing_ok=True)


def edges(positions: list[int]) -> list[int]:
    return [positions[0], max(positions)] if positions else []


def position_of(record: Any) -> int | None:
    """Of a journal record, from its headers."""
    return next((int(value) for name, value in record.headers if name == "position"), None)
