"""A file is fetched once and stored by its content; what cannot be fetched stays a link with the reason."""

import asyncio
import hashlib
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from msgspec.structs import replace
from obstore.store import MemoryStore, S3Store

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import Answer, NotReached, SafeHttp
from crm.attachments import StoredLink, Wanted
from crm.contract.codec import encode
from crm.events import MessageReceived
from crm.scalars import Id, Micros
from crm.shared import Attachment, Meta
from services.attachments.fetching import DELAYS, MINUTE, Fetching
from services.attachments.journal_files import WITH_FILES, JournalFiles, wanted
from services.attachments.sources import Sources
from tests.support.intake_server import meta

HERE, THERE = Id("00000000-0000-4000-8000-00000000000a"), Id("00000000-0000-4000-8000-00000000000b")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40
SHA = hashlib.sha256(PNG).hexdigest()
PHOTO = Attachment("photo", "1.png", ref="https://cdn.example.com/1.png")


class Web(SafeHttp):
    """What the web answers: a body, or why there is none."""

    def __init__(self, *answers: bytes | NotReached, **headers: str) -> None:
        super().__init__()
        self.answers, self.given, self.requests = list(answers), headers, list[str]()

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        self.requests.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, NotReached):
            raise answer
        return Answer(200, {name.replace("_", "-"): value for name, value in self.given.items()}, answer, url)


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(MemoryStore()) if request.param == "memory" else AttachmentStore.open(f"{tmp_path}/files")


class Run:
    def __init__(self, store: AttachmentStore, web: Web) -> None:
        web.requests.clear()
        self.store, self.web, self.at = store, web, 0
        self.fetching = Fetching(store, Sources(web), lambda: Micros(self.at))

    def fetch(self, *wanted: tuple[Id, Attachment]) -> None:
        asyncio.run(self._fetch(self.fetching.fetch_all(Wanted(*one) for one in wanted)))

    def try_again(self) -> int:
        return asyncio.run(self._fetch(self.fetching.fetch_waiting()))

    async def _fetch(self, what: Coroutine[Any, Any, Any]) -> Any:
        self.fetching.turns = asyncio.Semaphore(2)
        return await what

    def link(self, workspace: Id = HERE, ref: str = PHOTO.ref) -> StoredLink | None:
        return asyncio.run(self.store.link(workspace, ref))

    def content(self, workspace: Id = HERE, sha256: str = SHA) -> bytes | None:
        return asyncio.run(self.store.content(workspace, sha256))


def test_it_is_stored_by_its_content(store: AttachmentStore) -> None:
    run = Run(store, Web(PNG))
    run.fetch((HERE, PHOTO))
    assert run.link() == StoredLink(PHOTO.ref, SHA, "image/png", len(PNG), "1.png")
    assert (run.content(), run.content(THERE), run.link(THERE)) == (PNG, None, None)


def test_it_is_fetched_once(store: AttachmentStore) -> None:
    run = Run(store, Web(PNG))
    run.fetch((HERE, PHOTO), (HERE, PHOTO))
    run.fetch((HERE, PHOTO))
    assert run.web.requests == [PHOTO.ref]
    run.fetch((THERE, PHOTO), (HERE, Attachment("photo", ref="https://cdn.example.com/same.png")))
    assert len(run.web.requests) == 3 and run.content(THERE) == PNG
    assert run.link(ref="https://cdn.example.com/same.png") == StoredLink(
        "https://cdn.example.com/same.png", SHA, "image/png", len(PNG)
    )


@pytest.mark.parametrize(
    ("web", "reason"),
    [
        (Web(NotReached("It has more than the 25000000 bytes that are kept.")), "It has more than the 25000000 bytes"),
        (Web(b"<html>Log in</html>"), "It is announced as photo and is a web page or a text."),
        (Web(PNG, content_encoding="gzip"), "It is packed as gzip, which nobody asked for."),
    ],
)
def test_what_cannot_be_stored_stays_a_link_with_the_reason(store: AttachmentStore, web: Web, reason: str) -> None:
    run = Run(store, web)
    run.fetch((HERE, PHOTO))
    run.fetch((HERE, PHOTO))
    link = run.link()
    assert link and link.reason.startswith(reason) and (link.sha256, link.name) == ("", "1.png")
    assert len(web.requests) == 1 and run.try_again() == 0


def test_what_may_come_later_is_tried_again(store: AttachmentStore) -> None:
    run = Run(store, Web(NotReached("busy", again=True), NotReached("busy", again=True), PNG))
    run.fetch((HERE, PHOTO))
    run.fetch((HERE, PHOTO))  # another message with the same file does not hurry
    assert (run.link(), run.try_again(), len(run.web.requests)) == (None, 0, 1)
    run.at += DELAYS[0] * MINUTE
    assert (run.try_again(), run.link()) == (1, None)
    run.at += DELAYS[1] * MINUTE
    assert run.try_again() == 1
    assert (run.content(), run.try_again()) == (PNG, 0)


def test_it_is_given_up_with_the_last_reason(store: AttachmentStore) -> None:
    run = Run(store, Web(NotReached("cdn.example.com answered 503.", again=True)))
    run.fetch((HERE, PHOTO))
    for delay in DELAYS:
        run.at += delay * MINUTE
        assert run.try_again() == 1
    assert run.link() == StoredLink(PHOTO.ref, name="1.png", reason="cdn.example.com answered 503.")
    assert run.try_again() == 0


def test_an_event_names_its_files_and_their_workspace() -> None:
    files = (PHOTO, Attachment("photo", ref="file id of the vendor"))
    event = MessageReceived(own_meta(), HERE, HERE, HERE, "1", "Olena", "Look", files)
    own = event.meta
    fact = own.cause_topic, own.cause_partition, own.cause_offset
    assert wanted(Record(encode(event))) == [Wanted(HERE, file, own.source, fact) for file in files]
    assert wanted(Record(b"")) == wanted(Record(b"no event")) == []
    assert {kind.__name__ for kind in WITH_FILES} >= {"MessageReceived", "MessageEdited", "DealOpened"}


def own_meta() -> Meta:
    return replace(meta(HERE), workspace=HERE)


class Record:
    """A record of Kafka."""

    def __init__(self, value: bytes, partition: int = 0, offset: int = 7) -> None:
        self.value, self.partition, self.offset = value, partition, offset


class Ended(Exception):
    """The journal of the test has no more."""


class Journal:
    """A consumer of two partitions. Each fetch gives a record of each."""

    def __init__(self, *partitions: list[str]) -> None:
        self.partitions, self.at = partitions, [0, 0]

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.at[tp.partition] = offset

    async def getmany(self, **_: int) -> dict[int, list[Record]]:
        found = {}
        for partition, refs in enumerate(self.partitions):
            for offset, ref in list(enumerate(refs))[self.at[partition] :][:1]:
                file = Attachment("photo", ref=ref)
                event = MessageReceived(own_meta(), HERE, HERE, HERE, ref, "Olena", "Look", (file,))
                found[partition] = [Record(encode(event), partition, offset)]
                self.at[partition] = offset + 1
        if not found:
            raise Ended
        return found


def test_the_journal_is_read_on_where_it_was_left(store: AttachmentStore) -> None:
    one, two, three, id = "https://cdn.example.com/1", "https://cdn.example.com/2", "https://cdn.example.com/3", "an id"
    run = Run(store, Web(PNG))
    for partitions in (([one, two], [id]), ([one, two, three], [id, one])):
        journal: Any = Journal(*partitions)
        with pytest.raises(Ended):
            asyncio.run(run._fetch(JournalFiles("", store, run.fetching).follow(journal)))
        assert asyncio.run(store.checkpoint()) == {0: len(partitions[0]), 1: len(partitions[1])}
    assert run.web.requests == [one, two, three]


def test_a_store_that_is_away_leaves_the_checkpoint(store: AttachmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise OSError("no space left")

    run = Run(store, Web(PNG))
    monkeypatch.setattr(store, "keep", full)
    journal: Any = Journal(["https://cdn.example.com/1"], [])
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        asyncio.run(run._fetch(JournalFiles("", store, run.fetching).follow(journal)))
    assert (asyncio.run(store.checkpoint()), run.link()) == ({}, None)


def test_the_checkpoint_is_kept_with_the_files(store: AttachmentStore) -> None:
    assert asyncio.run(store.checkpoint()) == {}
    asyncio.run(store.set_checkpoint({0: 12, 3: 4}))
    assert asyncio.run(store.checkpoint()) == {0: 12, 3: 4}


def test_a_bucket_is_named_by_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert isinstance(AttachmentStore.open("s3://files/potik").store, S3Store)
