"""Loads an archive into an empty Kafka: same partitions, order, keys, headers, timestamps and offsets.

If Kafka holds exactly the beginning of the archive, an earlier run was interrupted and this one resumes it. Compacted
topics have no stable offsets; there, the newest record of each key counts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from crm.adapters.archive import container, manifest
from crm.adapters.archive.container import ArchivedRecord, StoredRecord
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Partition
from crm.adapters.kafka.address import client_options
from crm.errors import Broken
from crm.topics import TOPICS
from services.operations.archive.progress import Advance
from services.operations.archive.saving import ShowProgress, fetches, partitions, reader
from services.stack.topics import create_missing

BATCH = 900_000  # bytes; below the limit of every topic
PATIENCE = 60.0  # seconds that Kafka may take to acknowledge a batch
Content = tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]


async def load(bootstrap: str, folder: Path, replication: int, progress: ShowProgress) -> dict[Partition, int]:
    """Returns how many records were sent to each partition. Can be interrupted at any time; the next run resumes.

    Raises Broken before sending anything when the archive is damaged, or when Kafka holds other records.
    """
    with manifest.held(folder):
        known = manifest.read(folder)
        require_intact(folder, known, progress)
        await topics_fit(bootstrap, known, replication)
        archived = known.by_partition()
        async with reader(bootstrap) as consumer:
            ends = await consumer.end_offsets([TopicPartition(*place) for place in archived])
            held = sum(ends.values())
            with progress("Comparing Kafka's records", held) as advance:
                begins = {
                    place: await beginning(consumer, folder, place, files, ends[TopicPartition(*place)], advance)
                    for place, files in archived.items()
                }
        total = sum(file.count for files in archived.values() for file in files)
        counts = {}
        with progress("Loading", total) as advance:
            options = {"enable_idempotence": True, "acks": "all", "linger_ms": 0, "max_batch_size": BATCH}
            async with AIOKafkaProducer(**client_options(bootstrap), **options) as producer:
                for place, files in archived.items():
                    counts[place] = await send_records(producer, folder, place, files, begins[place], advance)
        return counts


def require_intact(folder: Path, known: Manifest, progress: ShowProgress) -> None:
    """Raises Broken with everything that checksums and the manifest show as wrong."""
    found = manifest.gaps(known)
    with progress("Checking files", sum(file.count for file in known.files)) as advance:
        for file in known.files:
            if wrong := manifest.damaged(folder, file):
                found.append(wrong)
            advance(file.count)
    if found:
        more = f"\n... and {len(found) - 20} more." if len(found) > 20 else ""
        lines = "\n".join(found[:20]) + more
        raise Broken(f"The archive {folder} is damaged. Nothing was loaded; repair it from another copy.\n{lines}")


async def topics_fit(bootstrap: str, known: Manifest, replication: int) -> None:
    """Creates the declared topics. Raises Broken when Kafka still lacks a partition of the archive."""
    names = {topic.name for topic in TOPICS.values()}
    archived = set(known.by_partition())
    if unknown := sorted({topic for topic, _ in archived} - names):
        raise Broken(f"The archive has {', '.join(unknown)}, which topics.toml does not declare. Nothing was loaded.")
    await create_missing(bootstrap, replication)
    if lacking := sorted(archived - set(await partitions(bootstrap, {topic for topic, _ in archived}))):
        names_lacking = ", ".join(f"{topic}/{partition}" for topic, partition in lacking)
        raise Broken(f"Kafka's topics have too few partitions for {names_lacking}. Nothing was loaded.")


async def beginning(
    consumer: AIOKafkaConsumer, folder: Path, place: Partition, files: Sequence[File], end: int, advance: Advance
) -> int:
    """Returns the first offset of the archive that Kafka lacks. Raises Broken when Kafka holds other records."""
    if place[0] in COMPACTED:
        return await beginning_by_key(consumer, folder, place, files, end, advance)
    where, seen = f"{place[0]}/{place[1]}", 0
    expected = records(folder, files)
    async for fetched in fetches(consumer, TopicPartition(*place), 0, end):
        for record in fetched:
            known = next(expected, None)
            if known is None or (record.offset, content(record)) != (known.offset, content(known)):
                raise Broken(
                    f"{where}: Kafka's record at offset {record.offset} differs from the archive's. Nothing was "
                    "loaded. Load into an empty Kafka (for example with another data folder)."
                )
        seen += len(fetched)
        advance(len(fetched))
    if seen != end:
        raise Broken(f"{where}: Kafka has lost {end - seen} of its first {end} records. Nothing was loaded.")
    return end


async def beginning_by_key(
    consumer: AIOKafkaConsumer, folder: Path, place: Partition, files: Sequence[File], end: int, advance: Advance
) -> int:
    """Returns 0, to load the compacted topic again, unless each key has its newest record already."""
    kept: dict[bytes | None, Content] = {}
    async for fetched in fetches(consumer, TopicPartition(*place), 0, end):
        kept |= {record.key: content(record) for record in fetched}
        advance(len(fetched))
    newest: dict[bytes | None, Content] = {}
    known: set[Content] = set()
    for record in records(folder, files):
        newest[record.key] = content(record)
        known.add(content(record))
    if unknown := set(kept.values()) - known:
        raise Broken(
            f"{place[0]}: Kafka has {len(unknown)} records that the archive does not have. Nothing was loaded. "
            "Load into an empty Kafka before any role starts on it (`crm up` also creates a demo workspace)."
        )
    return files[-1].last + 1 if kept == newest else 0


async def send_records(
    producer: AIOKafkaProducer, folder: Path, place: Partition, files: Sequence[File], begin: int, advance: Advance
) -> int:
    """Sends the records from `begin` on, one batch in flight while the next is prepared. Returns their number."""
    where, sent = f"{place[0]}/{place[1]}", 0
    in_flight: tuple[asyncio.Future[Any], int] | None = None

    async def acknowledged() -> None:
        if in_flight:
            ack, first = in_flight
            try:
                at = (await asyncio.wait_for(ack, PATIENCE)).offset
            except (KafkaError, TimeoutError) as error:
                raise Broken(
                    f"{where}: Kafka did not store the records from offset {first} on ({error!r}). "
                    "Earlier ones are stored: check Kafka's disk and log, then run this again to resume."
                ) from None
            if at != first and place[0] not in COMPACTED:
                raise Broken(
                    f"{where}: the record of offset {first} was stored at {at}: something else is writing. "
                    "Stop the roles."
                )

    remaining = [file for file in files if file.last >= begin]
    advance(sum(file.count for file in files) - sum(file.count for file in remaining))
    async for batch, first, count in batches(producer, records(folder, remaining), begin):
        await acknowledged()
        in_flight = await producer.send_batch(batch, place[0], partition=place[1]), first
        sent += count
        advance(count)
    await acknowledged()
    return sent


async def batches(
    producer: AIOKafkaProducer, all: Iterator[ArchivedRecord], begin: int
) -> AsyncIterator[tuple[Any, int, int]]:
    """Yields full batches with their first offset and number of records."""
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


def records(folder: Path, files: Sequence[File]) -> Iterator[ArchivedRecord]:
    for file in files:
        yield from container.read(folder / file.path)


def content(record: StoredRecord) -> Content:
    return record.timestamp, record.key, record.value, tuple(record.headers)
