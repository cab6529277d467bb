"""Files of events on a real Kafka: fetched once, also when the role is started again."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace as changed

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import Answer, SafeHttp
from crm.contract.codec import encode
from crm.envelope import now
from crm.events import MessageReceived
from crm.scalars import Id
from crm.shared import Attachment
from crm.topics import JOURNAL
from services.attachments.fetching import Fetching
from services.attachments.journal_files import JournalFiles
from services.stack.topics import create_missing
from tests.support.intake_server import WORKSPACE, meta

ID = Id("00000000-0000-4000-8000-00000000000a")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40


class Web(SafeHttp):
    """Has a picture at every address, and says when one was fetched that ends like `last`."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []

    async def fetch(self, url: str) -> Answer:
        self.requests.append(url)
        return Answer(200, {}, PNG, url)


class Store(AttachmentStore):
    """Says when the checkpoint has passed so many records."""

    def __init__(self, store: object) -> None:
        super().__init__(store)
        self.passed = asyncio.Condition()

    async def set_checkpoint(self, offsets: dict[int, int]) -> None:
        await super().set_checkpoint(offsets)
        async with self.passed:
            self.passed.notify_all()

    async def until(self, count: int) -> None:
        while sum((await self.checkpoint()).values()) < count:
            async with self.passed:
                await self.passed.wait()


def test_a_file_is_fetched_once_also_after_a_restart(kafka_bootstrap: str, tmp_path: Path) -> None:
    async def run() -> list[str]:
        topic, web = f"files-{uuid4().hex[:8]}", Web()
        await create_missing(kafka_bootstrap, topics=[replace(JOURNAL, name=topic, partitions=2)])
        for files in (["1", "2", "a file's id"], ["2", "3"]):
            await produce(kafka_bootstrap, topic, [a if " " in a else f"https://cdn.example.com/{a}" for a in files])
            store = Store.open(str(tmp_path))
            journal = JournalFiles(kafka_bootstrap, store, Fetching(store, web, now), topic)
            role = asyncio.create_task(journal.run())
            await store.until(3 if len(files) == 3 else 5)
            assert journal.missing() is None
            role.cancel()
            await asyncio.wait([role])
        assert await store.link(WORKSPACE, "a file's id") is None
        return web.requests

    assert sorted(asyncio.run(run())) == [f"https://cdn.example.com/{number}" for number in (1, 2, 3)]


async def produce(bootstrap: str, topic: str, refs: Sequence[str]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for number, ref in enumerate(refs):
        own = changed(meta(ID), workspace=WORKSPACE)
        event = MessageReceived(own, ID, ID, ID, ref, "Olena", "Look", (Attachment("photo", ref=ref),))
        await producer.send_and_wait(topic, encode(event), partition=number % 2)
    await producer.stop()
