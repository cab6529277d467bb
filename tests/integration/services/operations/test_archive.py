"""The archive on real Kafka: everything into files, and into an empty Kafka again, whatever cuts it off."""

import asyncio
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from crm.adapters.archive import manifest
from crm.adapters.archive.container import ArchivedRecord, Container
from crm.adapters.archive.manifest import Partition
from crm.errors import Broken
from crm.topics import TOPICS
from services.operations.archive import loading
from services.operations.archive.loading import content, load
from services.operations.archive.progress import Advance
from services.operations.archive.saving import fetches, partitions, reader, save
from services.operations.archive.verifying import verify
from services.stack.topics import Admin, create_missing
from tests.support.archives import FRAME
from tests.support.servers import kafka_server

ALL = [topic.name for topic in TOPICS.values() if topic.name not in ("crm.commits", "crm.connections.activity")]
FORMS, JOURNAL, CONNECTIONS = ("crm.intake.forms", 1), ("crm.journal", 11), ("crm.connections", 0)
LARGE = b"x" * 1_500_000  # more than a batch of the loader holds


@contextmanager
def unseen(_doing: str, _total: int) -> Iterator[Advance]:
    yield lambda _: None


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    """A Kafka of this test alone, with every topic."""
    with kafka_server(tmp_path) as bootstrap:
        asyncio.run(create_missing(bootstrap))
        yield bootstrap


@pytest.fixture
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another one, empty."""
    with kafka_server(tmp_path_factory.mktemp("target")) as bootstrap:
        yield bootstrap


def some(begin: int, end: int) -> list[ArchivedRecord]:
    """A relay's records, at these offsets."""
    return [
        ArchivedRecord(
            n, 1_700_000_000_000 + n, f"stream {n}".encode(), FRAME, [("position", str(n).encode()), ("x", None)]
        )
        for n in range(begin, end)
    ]


async def put(bootstrap: str, place: Partition, records: Sequence[ArchivedRecord]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=2_000_000) as producer:
        for r in records:
            await producer.send(place[0], r.value, r.key, place[1], timestamp_ms=r.timestamp, headers=list(r.headers))


async def everything(bootstrap: str) -> dict[Partition, list[Any]]:
    """What Kafka holds, with each record's offset but in the compacted topic."""
    found: dict[Partition, list[Any]] = {}
    async with reader(bootstrap) as consumer:
        for place in await partitions(bootstrap, ALL):
            end = (await consumer.end_offsets([TopicPartition(*place)]))[TopicPartition(*place)]
            async for records in fetches(consumer, TopicPartition(*place), 0, end):
                archived = [(None if place == CONNECTIONS else r.offset, content(r)) for r in records]
                found.setdefault(place, []).extend(archived)
    return found


def test_everything_is_there_again_at_its_offset(
    source: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two goes out of one Kafka; into the other one cut off after some batches, then to the end."""
    folder = tmp_path / "archive"
    declared = [ArchivedRecord(n, 1_700_000_000_000, f"{n % 2}".encode(), FRAME if n < 4 else None) for n in range(5)]

    async def out() -> None:
        await put(source, FORMS, [*some(0, 30), ArchivedRecord(30, 1_700_000_000_030, None, FRAME + LARGE)])
        await put(source, JOURNAL, some(0, 50))
        await put(source, CONNECTIONS, declared)
        assert await save(source, folder, ALL, unseen) == {FORMS: 31, JOURNAL: 50, CONNECTIONS: 5}
        assert await save(source, folder, ALL, unseen) == {}
        await put(source, JOURNAL, some(50, 70))
        assert await save(source, folder, ALL, unseen) == {JOURNAL: 20}

    asyncio.run(out())
    files = {
        place: [(f.first, f.last, f.first_position, f.last_position) for f in files]
        for place, files in manifest.read(folder).by_partition().items()
    }
    assert files == {
        FORMS: [(0, 30, None, None)],
        JOURNAL: [(0, 49, 0, 49), (50, 69, 50, 69)],
        CONNECTIONS: [(0, 4, None, None)],
    }
    assert verify(folder, lambda _: None) == []
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*")} == {0o600, 0o700}

    sent = 0

    class Cut(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
        """Its program is killed at the fifth batch."""

        async def send_batch(self, *given: Any, **more: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == 5:
                raise InterruptedError("killed")
            return await super().send_batch(*given, **more)

    monkeypatch.setattr(loading, "BATCH", 600)
    monkeypatch.setattr(loading, "AIOKafkaProducer", Cut)

    async def back() -> None:
        with pytest.raises(InterruptedError):
            await load(target, folder, 1, unseen)
        begun = {place: len(records) for place, records in (await everything(target)).items()}
        assert begun[CONNECTIONS] == 5 and 0 < begun[FORMS] < 31
        assert await load(target, folder, 1, unseen) == {CONNECTIONS: 0, FORMS: 31 - begun[FORMS], JOURNAL: 70}
        assert await everything(target) == await everything(source)
        assert sum((await load(target, folder, 1, unseen)).values()) == 0
        await put(target, JOURNAL, some(70, 71))
        assert await save(target, folder, ALL, unseen) == {JOURNAL: 1}  # the archive goes on from the new Kafka

    asyncio.run(back())


def test_another_kafka_is_refused_and_nothing_is_changed(source: str, target: str, tmp_path: Path) -> None:
    folder = tmp_path / "archive"

    async def run() -> None:
        await put(source, FORMS, some(0, 3))
        await save(source, folder, ALL, unseen)
        await create_missing(target)
        with pytest.raises(Broken, match="the archive has offsets up to 2, Kafka ends before 0"):
            await save(target, folder, ALL, unseen)
        await put(target, FORMS, some(7, 8))
        before = await everything(target)
        with pytest.raises(Broken, match=r"Kafka's record at offset 0 differs from the archive's\. Nothing was loaded"):
            await load(target, folder, 1, unseen)
        assert await everything(target) == before
        await put(target, FORMS, some(7, 10))
        with pytest.raises(
            Broken, match=r"Kafka's record at offset 2 differs from the archive's\. Nothing was archived"
        ):
            await save(target, folder, ALL, unseen)
        assert [file.count for file in manifest.read(folder).files] == [3]

    asyncio.run(run())


def test_a_full_disk_and_a_damaged_file_cost_nothing(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "archive"
    finish = Container.finish

    def full(self: Container) -> None:
        if manifest.read(folder).files:
            raise OSError(errno.ENOSPC, "No space left on device")
        finish(self)

    async def run() -> None:
        await put(source, FORMS, some(0, 3))
        await put(source, JOURNAL, some(0, 3))
        with monkeypatch.context() as patched:
            patched.setattr(Container, "finish", full)
            with pytest.raises(Broken, match=r"could not be written to .*: No space left on device .* run it again"):
                await save(source, folder, ALL, unseen)
        assert ([file.count for file in manifest.read(folder).files], list(folder.rglob("*.partial"))) == ([3], [])
        assert sum((await save(source, folder, ALL, unseen)).values()) == 3
        damaged = folder / manifest.read(folder).files[0].path
        damaged.write_bytes(damaged.read_bytes()[:-1])
        with pytest.raises(Broken, match=r"is damaged\. Nothing was loaded; repair it from another copy\.\n.* bytes"):
            await load(source, folder, 1, unseen)

    asyncio.run(run())


def test_what_retention_took_before_it_was_archived_is_reported(source: str, tmp_path: Path) -> None:
    async def run() -> None:
        await put(source, FORMS, some(0, 3))
        async with Admin(source) as admin:
            await admin.delete_records({TopicPartition(*FORMS): RecordsToDelete(before_offset=2)})
        with pytest.raises(
            Broken, match=r"offsets 0 to 1 are neither in Kafka nor in the archive. Nothing was archived"
        ):
            await save(source, tmp_path / "archive", ALL, unseen)
        assert not (tmp_path / "archive" / manifest.NAME).exists()

    asyncio.run(run())
