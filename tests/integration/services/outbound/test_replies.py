"""Answers on real servers: in order, at most once, at the vendor's pace, and reported as facts."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from crm.envelope import named_id
from crm.events import ReplyResolved, ReplySent
from crm.scalars import Id
from services.outbound.replies import table
from services.stack.process import until
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection
from tests.support.sent_replies import Rig, Vendor, reply, with_meta
from tests.support.timeouts import TIMEOUT

Play = Callable[[Callable[[Rig, Any], Coroutine[Any, Any, None]], Vendor, str], Rig]


@pytest.fixture
def play(kafka_bootstrap: str, fresh_database_url: str) -> Play:
    """Plays a story on a journal of its own."""

    def play(story: Callable[[Rig, Any], Coroutine[Any, Any, None]], vendor: Vendor, connector: str) -> Rig:
        async def run() -> Rig:
            journal = IsolatedJournal(kafka_bootstrap, fresh_database_url)
            await journal.create_topics()
            rig = Rig(journal, vendor, connector)
            async with journal.relaying() as relay:
                await story(rig, relay)
            return rig

        return asyncio.run(run())

    return play


def texts(vendor: Vendor) -> list[str]:
    return [json.loads(body)["text"] for body in vendor.taken]


def test_answers_are_sent_in_order_and_their_outcome_is_reported(play: Play) -> None:
    async def story(rig: Rig, _relay: Any) -> None:
        async with rig.running():
            await rig.journal.commit(*(reply(n, chat) for n in range(2) for chat in (1, 2)))
            await rig.settled({"delivered": 4})

    rig = play(story, Vendor(), "telegram")
    for chat in (1, 2):
        assert [text for text in texts(rig.vendor) if text.startswith(f"{chat}/")] == [f"{chat}/0", f"{chat}/1"]
    assert sorted(rig.outcomes) == [("accepted", str(n)) for n in range(1, 5)]
    assert {fact.raw.headers[":status"] for fact in rig.reported} == {"200"}
    assert all("TEST-" not in str(fact) for fact in rig.reported)  # no secret comes into a fact


def test_what_the_vendor_refuses_does_not_hold_up_the_next(play: Play) -> None:
    async def story(rig: Rig, _relay: Any) -> None:
        async with rig.running():
            await rig.journal.commit(reply(1), reply(2))
            await rig.settled({"delivered": 1, "dead": 1})

    blocked = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
    rig = play(story, Vendor((403, blocked, {})), "telegram")
    assert [(fact.outcome, fact.reason) for fact in rig.reported] == [
        ("failed", "Forbidden: bot was blocked by the user"),
        ("accepted", ""),
    ]


def test_a_vendor_that_asks_for_patience_gets_it_and_the_order_stays(play: Play) -> None:
    async def story(rig: Rig, relay: Any) -> None:
        await rig.journal.commit(reply(1), reply(2))
        await rig.journal.published(relay)
        await rig.keep_history()
        async with rig.running():
            await rig.settled({"delivered": 2})

    busy = {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 1}}
    rig = play(story, Vendor((429, busy, {})), "telegram")
    assert texts(rig.vendor) == ["1/1", "1/2"]
    assert len(rig.vendor.requests) == 3
    assert rig.outcomes == [("accepted", "1"), ("accepted", "2")]


def test_a_message_that_was_taken_before_a_death_is_never_sent_twice_silently(play: Play) -> None:
    """The vendor took it, its answer never came: a person looks, and only then it is sent again."""
    first = reply(1)

    async def story(rig: Rig, relay: Any) -> None:
        rig.vendor.hang = True
        async with rig.running():
            await rig.journal.commit(first, reply(2))
            await until(rig.vendor.idle, TIMEOUT)
        rig.vendor.hang = False
        await rig.journal.published(relay)
        await rig.keep_history()
        async with rig.running("2"):
            await rig.settled({"uncertain": 1, "delivered": 1})
            assert texts(rig.vendor) == ["1/1", "1/2"]
            assert [fact.outcome for fact in rig.reported] == ["uncertain", "accepted"]
            meta = with_meta(named_id(first.meta.id, "again"), first.meta.stream, first.meta.recorded_at)
            who = first.message_id, first.conversation_id, first.contact_id
            await rig.journal.commit(ReplyResolved(meta, *who, "again", "anna", 2))
            await rig.settled({"delivered": 2})

    rig = play(story, Vendor(), "telegram")
    assert texts(rig.vendor) == ["1/1", "1/2", "1/1"]
    assert [(fact.outcome, fact.attempt) for fact in rig.reported] == [
        ("uncertain", 1),
        ("accepted", 1),
        ("accepted", 2),
    ]


def test_a_vendor_that_knows_a_repetition_gets_it_again(play: Play) -> None:
    async def story(rig: Rig, relay: Any) -> None:
        rig.vendor.hang = True
        async with rig.running():
            await rig.journal.commit(reply(1, connector="resend", reply_address="olena@example.net"))
            await until(rig.vendor.idle, TIMEOUT)
        rig.vendor.hang = False
        await rig.journal.published(relay)
        await rig.keep_history()
        async with rig.running("2"):
            await rig.settled({"delivered": 1})

    rig = play(story, Vendor(), "resend")
    assert len({request.headers["idempotency-key"] for request in rig.vendor.requests}) == 1
    assert rig.outcomes == [("accepted", "id-2")]


def test_what_was_queued_before_this_database_is_not_sent_by_itself(play: Play) -> None:
    """A database that was lost is made again from the journal: whether a reply was sent stands there, or nobody
    knows."""
    lost, known = reply(1), reply(2, chat=2)

    async def story(rig: Rig, relay: Any) -> None:
        meta = with_meta(named_id(known.meta.id, "sent"), known.meta.stream, known.meta.recorded_at)
        who = known.message_id, known.conversation_id, known.contact_id
        await rig.journal.commit(lost, known, ReplySent(meta, *who, "41"))
        await rig.journal.published(relay)
        await rig.keep_history()
        async with await open_connection(rig.journal.dsn) as conn:
            await conn.execute("UPDATE outbound.made SET at = now()")
        async with rig.running():
            await rig.until_reported(1)
            await rig.journal.commit(reply(3, chat=3))
            await rig.settled({"delivered": 1})

    rig = play(story, Vendor(), "telegram")
    assert texts(rig.vendor) == ["3/3"]
    assert [(fact.message_id, fact.outcome) for fact in rig.reported][:1] == [(lost.message_id, "uncertain")]
    assert len(rig.reported) == 2


def test_a_restored_database_sends_nothing_that_the_journal_knows(play: Play) -> None:
    """The end of the journal was not known before its first records had come: what a backup held as waiting went out at
    once, though it was sent after that backup was made."""
    own = reply(1)

    async def story(rig: Rig, relay: Any) -> None:
        async with rig.running():
            await rig.journal.commit(own)
            await rig.settled({"delivered": 1})
        meta = with_meta(named_id(own.meta.id, "sent"), own.meta.stream, own.meta.recorded_at)
        await rig.journal.commit(ReplySent(meta, own.message_id, own.conversation_id, own.contact_id, "1"))
        await rig.journal.published(relay)
        await rig.keep_history()
        async with await open_connection(rig.journal.dsn) as conn:
            await conn.execute("UPDATE outbound.delivery SET state = 'waiting'")
            await conn.execute("UPDATE core.checkpoint SET next_offset = 0, position = -1")
        async with rig.running("2"):
            await rig.settled({"discarded": 1})
            await rig.journal.commit(reply(2))
            await rig.settled({"discarded": 1, "delivered": 1})

    rig = play(story, Vendor(), "telegram")
    assert texts(rig.vendor) == ["1/1", "1/2"]


def test_patience_holds_for_moments_that_were_taken_before(fresh_database_url: str) -> None:
    """Of a hundred conversations with a moment each, one was refused with Retry-After; the others went out all the
    same."""

    async def run() -> None:
        async with await open_connection(fresh_database_url) as one, await open_connection(fresh_database_url) as other:
            assert not await table.paused(other, "bot")
            await table.pause(one, "bot", 100.0)
            assert await table.paused(other, "bot")
            assert round(await table.reserve(other, {"bot": 10.0}) / 10) == 10
            assert not await table.paused(other, "another bot")

    asyncio.run(run())


def test_a_connection_that_is_gone_sends_nothing(play: Play) -> None:
    async def story(rig: Rig, _relay: Any) -> None:
        rig.access.connections.clear()
        async with rig.running():
            await rig.journal.commit(reply(1))
            await rig.settled({"dead": 1})

    rig = play(story, Vendor(), "telegram")
    assert rig.vendor.requests == []
    assert [fact.reason for fact in rig.reported] == [
        "The connection is switched off or removed: nothing can be sent through it."
    ]


def test_replicas_share_the_pace_of_a_connection(fresh_database_url: str) -> None:
    async def run() -> None:
        gaps = {"bot": 10.0, "bot/chat": 30.0}
        async with await open_connection(fresh_database_url) as one, await open_connection(fresh_database_url) as other:
            waits = [await table.reserve(conn, gaps) for conn in (one, other, one)]
            assert [round(wait / 10) for wait in waits] == [0, 3, 6]
            assert round(await table.reserve(other, {"bot": 10.0}) / 10) == 3
            await table.pause(one, "bot", 100.0)
            assert round(await table.reserve(other, {"bot": 10.0}) / 10) == 10
            assert await table.reserve(one, {}) == 0.0

    asyncio.run(run())


def test_a_reply_that_is_not_known_is_not_sent_again(fresh_database_url: str) -> None:
    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            at = reply(1).meta.recorded_at
            assert await table.again(conn, Id("33333333-3333-5333-8333-333333333333"), 2, at, "reply") is None

    asyncio.run(run())
