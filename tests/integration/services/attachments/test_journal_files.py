"""Files of events on a real Kafka: fetched once, also when the role is started again."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from msgspec import json
from msgspec.structs import replace as changed

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import Answer, NotReached, SafeHttp
from crm.attachments import Wanted
from crm.contract.codec import encode
from crm.envelope import now
from crm.events import MessageReceived
from crm.facts import DeliveryKept
from crm.scalars import Id
from crm.shared import Attachment, Raw
from crm.topics import JOURNAL
from services.attachments.facts import raw_of
from services.attachments.fetching import Fetching
from services.attachments.journal_files import JournalFiles
from services.attachments.sources import Sources
from services.stack.topics import create_missing
from tests.support.intake_server import WORKSPACE, meta

ID = Id("00000000-0000-4000-8000-00000000000a")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40


class Web(SafeHttp):
    """Has a picture at every address, and says when one was fetched that ends like `last`."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
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
            journal = JournalFiles(kafka_bootstrap, store, Fetching(store, Sources(web), now), topic)
            role = asyncio.create_task(journal.run())
            await store.until(3 if len(files) == 3 else 5)
            assert journal.missing() is None
            role.cancel()
            await asyncio.wait([role])
        link = await store.link(WORKSPACE, "a file's id")
        assert link is None  # tried again: its connection may come back
        return web.requests

    assert sorted(asyncio.run(run())) == [f"https://cdn.example.com/{number}" for number in (1, 2, 3)]


def test_a_file_of_a_mail_is_read_from_its_fact(kafka_bootstrap: str, tmp_path: Path) -> None:
    """The fact lies where its event says; one that is no longer there is tried again, as an archive may have it."""
    content = json.encode({"Data": b64encode(PNG).decode()})
    fact = DeliveryKept(changed(meta(ID), workspace=WORKSPACE), Raw("application/json", {}, "", content), "acme", "x")

    async def run() -> tuple[bytes, bool]:
        topic = f"facts-{uuid4().hex[:8]}"
        await create_missing(kafka_bootstrap, topics=[replace(JOURNAL, name=topic, partitions=1)])
        async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            await producer.send_and_wait(topic, encode(fact))
        sources = Sources(Web(), fact=raw_of(kafka_bootstrap, None))
        file = Attachment("file", "1.png", ref=f"sha256:{sha256(PNG).hexdigest()}")
        found = await sources.content(Wanted(WORKSPACE, file, fact=(topic, 0, 0)))
        with pytest.raises(NotReached, match="Kafka does not have") as reason:
            await sources.content(Wanted(WORKSPACE, file, fact=(topic, 0, 9)))
        return found, reason.value.again

    assert asyncio.run(run()) == (PNG, True)


async def produce(bootstrap: str, topic: str, refs: Sequence[str]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for number, ref in enumerate(refs):
        own = changed(meta(ID), workspace=WORKSPACE)
        event = MessageReceived(own, ID, ID, ID, ref, "Olena", "Look", (Attachment("photo", ref=ref),))
        await producer.send_and_wait(topic, encode(event), partition=number % 2)
    await producer.stop()
