"""Mails larger than a record, on a memory log; and what only a memory log can play."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import httptools
import pytest
from obstore.store import MemoryStore

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import NotReached
from crm.claim_check import claims_of
from services.attachments.sources import LEFT_OUT, part
from services.intake import large
from tests.support.large_mails import AS_POSTED, CONNECTIONS, TEXT, MailIntake, content, in_memory, only_mail
from tests.support.large_mails_suite import BIG, FILES, LargeMailsSuite

POSTMARK = AS_POSTED["postmark"](BIG)


@pytest.fixture
def mails() -> MailIntake:
    return in_memory()


class TestLargeMails(LargeMailsSuite):
    pass


@pytest.mark.parametrize("form", AS_POSTED)
def test_without_a_place_for_files_the_mail_is_kept_without_them(form: str) -> None:
    mails = in_memory(store=False)
    assert mails.mail(form, BIG).status_code == 200
    fact = only_mail(mails.facts)
    assert (fact.text, fact.attachments) == (TEXT, FILES[:1])
    claims = claims_of(fact.raw.headers)
    assert claims and not claims.stored
    assert mails.read_again(fact) == [fact]
    with pytest.raises(NotReached) as reason:
        part(fact.raw, FILES[0].ref.removeprefix("sha256:"))
    assert (str(reason.value), reason.value.again) == (LEFT_OUT, False)


def test_more_than_the_larger_limit_is_refused_and_so_is_more_than_the_usual_one_by_others() -> None:
    mails = in_memory(limit=3_000_000)
    answers = [mails.mail("smtp", BIG[:2_000_000]), mails.mail("smtp", BIG), mails.post("form", BIG, "text/plain")]
    assert [answer.status_code for answer in answers] == [200, 413, 413]
    assert [answer.text.split(" bytes")[0] for answer in answers[1:]] == [
        "The body is larger than 3000000",
        "The body is larger than 100000",
    ]
    assert len(mails.facts) == 1


class Away(AttachmentStore):
    """A place for files that cannot be reached, until it can."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.away = True

    async def keep(self, *given: Any) -> None:
        if self.away:
            raise OSError("S3 is away")
        await super().keep(*given)


def test_while_files_cannot_be_stored_nothing_is_acknowledged(mails: MailIntake) -> None:
    store = Away()
    mails.app.deliveries.large.store = lambda: store
    answer = mails.post("postmark", *POSTMARK)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (503, "5", large.AWAY + "\n")
    assert mails.records() == []
    store.away = False
    assert mails.post("postmark", *POSTMARK).status_code == 200
    assert only_mail(mails.facts).attachments == FILES[:1]


def test_a_place_that_cannot_be_opened_stops_no_other_delivery(mails: MailIntake, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    mails.app.deliveries.large.store = partial(AttachmentStore.open, str(tmp_path / "file" / "within"))
    answers = [mails.mail("smtp", BIG), mails.mail("smtp")]
    assert [answer.status_code for answer in answers] == [503, 200]


def test_one_that_does_not_say_how_large_it_is_or_is_packed(mails: MailIntake) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 65_536):
            yield body[at : at + 65_536]

    body, kind = AS_POSTED["smtp"](BIG)
    assert mails.send("smtp", pieces(), {"content-type": kind}).status_code == 200
    packed = {"content-type": kind, "content-encoding": "gzip"}
    assert mails.send("smtp", gzip.compress(body, 1), packed).status_code == 200
    assert [fact.attachments for fact in mails.facts] == [FILES[:1]] * 2


class Slow(AttachmentStore):
    """A place for files that says how many are being stored, and stores none before it may."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.begun, self.may = asyncio.Semaphore(0), asyncio.Event()

    async def keep(self, *given: Any) -> None:
        self.begun.release()
        await self.may.wait()
        await super().keep(*given)


class Turns(asyncio.Semaphore):
    """Says when somebody asks for a turn."""

    def __init__(self) -> None:
        super().__init__(large.AT_ONCE)
        self.requests = asyncio.Semaphore(0)

    async def acquire(self) -> Literal[True]:
        self.requests.release()
        return await super().acquire()


def test_two_are_taken_at_once_and_more_wait_or_are_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[int, str, list[int], int]:
        mails = in_memory()
        store, turns = Slow(), Turns()
        mails.app.deliveries.large.store, mails.app.deliveries.large.turns = lambda: store, turns
        bodies = [AS_POSTED["smtp"](content(300_000, bytes([number]))) for number in range(5)]
        first = [asyncio.create_task(mails.posting("smtp", *body)) for body in bodies[:2]]
        for _ in first:
            await store.begun.acquire()
        waits = asyncio.create_task(mails.posting("smtp", *bodies[2]))
        for _ in range(3):
            await turns.requests.acquire()
        monkeypatch.setattr(large, "TURN_SECONDS", 0)
        refused = await mails.posting("smtp", *bodies[3])
        usual = await mails.posting("smtp", *AS_POSTED["smtp"](content(2_000)))
        store.may.set()
        answers = [(await one).status_code for one in (*first, waits)]
        return refused.status_code, refused.text, [usual.status_code, *answers], len(mails.facts)

    assert asyncio.run(run()) == (503, large.WAIT + "\n", [200] * 4, 4)


def test_no_client_can_send_a_header_that_only_intake_writes() -> None:
    """What `:claims` says is believed: a client that could send it would have other files shown as its own."""

    class Seen:
        headers: ClassVar[list[bytes]] = []

        def on_header(self, name: bytes, _value: bytes) -> None:
            self.headers.append(name)

    parser = httptools.HttpRequestParser(Seen())
    request = f"POST /in/{CONNECTIONS['smtp']} HTTP/1.1\r\nHost: crm\r\n:claims: {{}}\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(httptools.HttpParserError):
        parser.feed_data(request.encode())
    assert b":claims" not in Seen.headers
