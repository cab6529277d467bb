"""From the archive into an empty Kafka: same partitions, order, keys, headers, timestamps and offsets.

A Kafka that holds exactly the beginning of the archive is one where loading was cut off: it goes on there. A compacted
topic has lost offsets for good and nobody refers to them; there the newest record of each key counts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from crm.adapters.archive import container, manifest
from crm.adapters.archive.container import Archived, Kept
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Place
from crm.errors import Broken
from crm.topics import TOPICS
from services.operations.archive.progress import Advance
from services.operations.archive.saving import Told, partitions, reader, stretch
from services.stack.topics import create_missing

BATCH = 900_000  # bytes; below what each topic takes
PATIENCE = 60.0  # seconds that Kafka may take to acknowledge a batch
Content = tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]


async def load(bootstrap: str, folder: Path, replication: int, progress: Told) -> dict[Place, int]:
    """Returns how many records each partition was given. Raises Broken before the first one when the archive is not
    whole, or when Kafka holds something else. Whatever ends it, a second run goes on."""
    with manifest.held(folder):
        known = manifest.read(folder)
        whole(folder, known, progress)
        await topics_fit(bootstrap, known, replication)
        archived = known.by_place()
        async with reader(bootstrap) as consumer:
            ends = await consumer.end_offsets([TopicPartition(*place) for place in archived])
            held = sum(ends.values())
            with progress("Comparing what Kafka has", held) as advance:
                begins = {
                    place: await beginning(consumer, folder, place, files, ends[TopicPartition(*place)], advance)
                    for place, files in archived.items()
                }
        total = sum(file.count for files in archived.values() for file in files)
        counts = {}
        with progress("Loading", total) as advance:
            async with AIOKafkaProducer(
                bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=BATCH
            ) as producer:
                for place, files in archived.items():
                    counts[place] = await fill(producer, folder, place, files, begins[place], advance)
        return counts


def whole(folder: Path, known: Manifest, progress: Told) -> None:
    """Raises Broken with every damage that checksums and the manifest show."""
    told = manifest.gaps(known)
    with progress("Checking files", sum(file.count for file in known.files)) as advance:
        for file in known.files:
            if wrong := manifest.damaged(folder, file):
                told.append(wrong)
            advance(file.count)
    if told:
        more = f"\n... and {len(told) - 20} more." if len(told) > 20 else ""
        lines = "\n".join(told[:20]) + more
        raise Broken(f"The archive {folder} is not whole. Nothing was loaded; mend it from another copy.\n{lines}")


async def topics_fit(bootstrap: str, known: Manifest, replication: int) -> None:
    """Creates the declared topics. Raises Broken when the archive has a partition that Kafka does not have then."""
    names = {topic.name for topic in TOPICS.values()}
    archived = set(known.by_place())
    if strange := sorted({topic for topic, _ in archived} - names):
        raise Broken(f"The archive has {', '.join(strange)}, which topics.toml does not declare. Nothing was loaded.")
    await create_missing(bootstrap, replication)
    if lacking := sorted(archived - set(await partitions(bootstrap, {topic for topic, _ in archived}))):
        told = ", ".join(f"{topic}/{partition}" for topic, partition in lacking)
        raise Broken(f"Kafka's topics have too few partitions for {told}. Nothing was loaded.")


async def beginning(
    consumer: AIOKafkaConsumer, folder: Path, place: Place, files: Sequence[File], end: int, advance: Advance
) -> int:
    """The offset from which Kafka lacks the archive's records. Raises Broken when it holds anything else."""
    if place[0] in COMPACTED:
        return await beginning_by_key(consumer, folder, place, files, end, advance)
    where, seen = f"{place[0]}/{place[1]}", 0
    expected = records(folder, files)
    async for fetched in stretch(consumer, TopicPartition(*place), 0, end):
        for record in fetched:
            known = next(expected, None)
            if known is None or (record.offset, content(record)) != (known.offset, content(known)):
                raise Broken(
                    f"{where}: Kafka's record at offset {record.offset} is not the archive's. Nothing was loaded. "
                    "Load into an empty Kafka (another data folder, or other topics), or into one where loading began."
                )
        seen += len(fetched)
        advance(len(fetched))
    if seen != end:
        raise Broken(f"{where}: Kafka has lost {end - seen} of its first {end} records. Nothing was loaded.")
    return end


async def beginning_by_key(
    consumer: AIOKafkaConsumer, folder: Path, place: Place, files: Sequence[File], end: int, advance: Advance
) -> int:
    """All again, unless each key has its newest record already."""
    kept: dict[bytes | None, Content] = {}
    async for fetched in stretch(consumer, TopicPartition(*place), 0, end):
        kept |= {record.key: content(record) for record in fetched}
        advance(len(fetched))
    newest: dict[bytes | None, Content] = {}
    known: set[Content] = set()
    for record in records(folder, files):
        newest[record.key] = content(record)
        known.add(content(record))
    if strange := set(kept.values()) - known:
        raise Broken(
            f"{place[0]}: Kafka has {len(strange)} records that the archive does not have. Nothing was loaded. "
            "Load into an empty Kafka, before any role has started on it (with `crm up` comes a demo workspace)."
        )
    return files[-1].last + 1 if kept == newest else 0


async def fill(
    producer: AIOKafkaProducer, folder: Path, place: Place, files: Sequence[File], begin: int, advance: Advance
) -> int:
    """Sends the records from `begin` on, one batch in flight while the next is made. Returns how many."""
    where, sent = f"{place[0]}/{place[1]}", 0
    flying: tuple[asyncio.Future[Any], int] | None = None

    async def landed() -> None:
        if flying:
            ack, first = flying
            try:
                at = (await asyncio.wait_for(ack, PATIENCE)).offset
            except (KafkaError, TimeoutError) as error:
                raise Broken(
                    f"{where}: Kafka did not keep the records from offset {first} on ({error!r}). "
                    "What it has kept stays: see to its disk and log, then run this again to go on."
                ) from None
            if at != first and place[0] not in COMPACTED:
                raise Broken(
                    f"{where}: the record of offset {first} came to {at}. Somebody else writes: stop the roles."
                )

    remaining = [file for file in files if file.last >= begin]
    advance(sum(file.count for file in files) - sum(file.count for file in remaining))
    async for batch, first, count in batches(producer, records(folder, remaining), begin):
        await landed()
        flying = await producer.send_batch(batch, place[0], partition=place[1]), first
        sent += count
        advance(count)
    await landed()
    return sent


async def batches(
    producer: AIOKafkaProducer, all: Iterator[Archived], begin: int
) -> AsyncIterator[tuple[Any, int, int]]:
    """Full batches, each with its first offset and its number of records."""
    batch, first, count = producer.create_batch(), begin, 0
    for record in all:
        if record.offset < begin:
            continue
        given: Mapping[str, Any] = {"timestamp": record.timestamp, "key": record.key, "value": record.value}
        if batch.append(**given, headers=record.headers) is None:
            yield batch, first, count
            batch, first, count = producer.create_batch(), record.offset, 0
            batch.append(**given, headers=record.headers)
        count += 1
    if count:
        yield batch, first, count


def records(folder: Path, files: Sequence[File]) -> Iterator[Archived]:
    for file in files:
        yield from container.read(folder / file.path)


def content(record: Kept) -> Content:
    return record.timestamp, record.key, record.value, tuple(record.headers)
