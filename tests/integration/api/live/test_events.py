"""The subscription over the journal: each event once and in order, through cuts, repeats, and slowness."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError

from api.live import journal
from api.live.journal import Journal
from api.live.positions import BEGINNING, Places, places
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.scalars import Id
from tests.support.graphql_server import Api, served
from tests.support.journal_topic import JournalTopic, Told, following, page, read, refusal
from tests.support.records import events_of
from tests.support.scenarios import form
from tests.support.shop_rows import OTHER, SHOP


@pytest.fixture(scope="module")
def served_api(database_url: str) -> Iterator[Api]:
    with served(database_url) as api:
        yield api


@pytest.fixture
def topic(kafka_bootstrap: str) -> JournalTopic:
    return JournalTopic(kafka_bootstrap)


@pytest.fixture
def api(served_api: Api, topic: JournalTopic) -> Api:
    served_api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    return served_api


def leads(workspace: str, *names: str) -> list[Event]:
    """What a workspace decides on forms of these people; without the rules that were there before."""
    facts = [form(name, phones=[f"+38050{sum(name.encode()):07d}"], amount_minor=20_200) for name in names]
    return [
        e
        for e in events_of(facts, Id(workspace))
        if e.meta.cause in {named_id(Id(workspace), f.meta.id) for f in facts}
    ]


def in_order(told: list[Told]) -> list[Told]:
    """Sorted by partition, each partition's events as they came."""
    return sorted(told, key=lambda t: t[0])


def test_what_is_published_is_told_to_its_workspace_with_all_it_says(api: Api, topic: JournalTopic) -> None:
    asked = "cursor events { position partition id type stream occurredAt recordedAt actor cause data }"
    with following(api, asked=asked) as ws:
        assert page(ws)["events"] == []
        (opened,) = [e for e in leads(SHOP, "Olena") if type(e).__name__ == "DealOpened"]
        topic.publish([*leads(OTHER, "Petro"), opened])
        found = page(ws)
        while not found["events"]:
            found = page(ws)
    ((partition, position, _),) = topic.of(SHOP)
    data = msgspec.json.decode(msgspec.json.encode(opened))
    del data["meta"]
    assert data["amount_minor"] == 20_200
    assert found["events"] == [
        {
            "position": position,
            "partition": partition,
            "id": opened.meta.id,
            "type": "DealOpened",
            "stream": opened.meta.stream,
            "occurredAt": "2026-01-01T10:00:00+00:00",
            "recordedAt": "2026-01-01T10:00:00+00:00",
            "actor": "test",
            "cause": opened.meta.cause,
            "data": data,
        }
    ]


def test_every_cursor_resumes_where_its_page_ended(api: Api, topic: JournalTopic) -> None:
    topic.publish([*leads(SHOP, "Olena", "Petro"), *leads(OTHER, "Ivan")])
    with following(api, after="0") as ws:
        told, cursors = read(ws, topic.next)
        topic.publish([*leads(OTHER, "Petro"), *leads(SHOP, "Taras")])
        more, later = read(ws, topic.next)
    told += more
    assert in_order(told) == topic.of(SHOP)
    topic.publish(leads(SHOP, "Danylo"))
    for cursor in [*cursors, *later]:
        with following(api, after=cursor) as ws:
            rest, _ = read(ws, topic.next)
        passed = [t for t in told if t[1] < places(cursor, SHOP)[t[0]]]
        assert sorted([*passed, *rest]) == topic.of(SHOP)


def test_what_the_relay_repeats_is_told_once(api: Api, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena", "Petro"))
    with following(api) as live, following(api, after="0") as late:
        page(live)
        topic.repeat(5)
        topic.publish(leads(SHOP, "Taras"))
        topic.repeat(9)
        topic.publish(leads(SHOP, "Danylo"))
        assert in_order(read(late, topic.next)[0]) == topic.of(SHOP)
        heard, _ = read(live, topic.next)
        new = [
            (p, at, e.meta.id) for p, at, e in topic.published if e in [*leads(SHOP, "Taras"), *leads(SHOP, "Danylo")]
        ]
        assert in_order(heard) == sorted(new)
    with following(api, after="0") as again:
        assert in_order(read(again, topic.next)[0]) == topic.of(SHOP)


def test_the_cursor_moves_on_while_others_are_busy(api: Api, topic: JournalTopic) -> None:
    with following(api) as ws:
        assert page(ws)["next"] == list(BEGINNING)
        topic.publish(leads(OTHER, "Petro"))
        told, _ = read(ws, topic.next)
    assert told == []


def test_only_the_types_that_are_asked_for_come(api: Api, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    with following(api, after="0", types=["DealOpened"]) as ws:
        told, _ = read(ws, topic.next)
    assert [id for *_, id in told] == [e.meta.id for *_, e in topic.published if type(e).__name__ == "DealOpened"]
    with following(api, types=["DealOpend"]) as ws:
        assert refusal(ws)[0] == "BAD_INPUT"


def test_a_cursor_of_another_workspace_or_of_a_longer_journal_is_refused(api: Api, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    with following(api, after="0") as ws:
        _, (*_, cursor) = read(ws, topic.next)
    with following(api, after=cursor, token="crm_live_other") as ws:
        code, message = refusal(ws)
    assert (code, "belongs to another workspace" in message) == ("BAD_CURSOR", True)
    api.changes.hub.journal = Journal(topic.bootstrap, JournalTopic(topic.bootstrap).name)
    with following(api, after=cursor) as ws:
        code, message = refusal(ws)
    assert (code, "ahead of the journal" in message) == ("BAD_CURSOR", True)


def test_a_hole_in_the_journal_is_told_and_not_stepped_over(api: Api, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    partition, _, event = topic.published[0]
    hole = [(partition, topic.next[partition] + 1, event)]
    with following(api) as live:
        page(live)
        asyncio.run(topic.send(hole))
        assert refusal(live)[0] == "JOURNAL_GAP"
    with following(api, after="0") as late:
        topic.next[partition] += 2
        assert refusal(late)[0] == "JOURNAL_GAP"


def test_an_event_of_a_newer_version_is_told_without_what_it_says(api: Api, topic: JournalTopic) -> None:
    """While a new version is rolled out, older replicas of the API meet events whose schema they do not have."""
    (event, *_) = leads(SHOP, "Olena")
    newer = b"\0\0\0\xff\xff" + encode(event)[5:]
    with following(api, asked="events { id stream cause type data }") as ws:
        assert page(ws)["events"] == []
        asyncio.run(topic.send(list(topic.placed([event])), newer))
        (told,) = page(ws)["events"]
    meta = event.meta
    assert told == {"id": meta.id, "stream": meta.stream, "cause": meta.cause, "type": "ContactCreated", "data": None}


def test_nothing_is_read_once_nobody_follows(api: Api, topic: JournalTopic) -> None:
    with following(api) as ws:
        page(ws)
        assert api.changes.hub.journal.task is not None
    while api.changes.hub.journal.task:
        assert api.thread.is_alive()
    assert api.changes.hub.journal.followed == {}


class Restless(Journal):
    """Kafka goes away at every third look."""

    looks = 0

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[Any]:
        async with super().consumer() as consumer:
            getmany = consumer.getmany

            async def sometimes(**given: Any) -> Any:
                self.looks += 1
                if self.looks % 3 == 0:
                    raise KafkaConnectionError("gone")
                return await getmany(**given)

            consumer.getmany = sometimes
            yield consumer


async def followed(reading: Journal, after: Places | None, until: Sequence[int], meanwhile: Any = None) -> list[Told]:
    """`meanwhile` runs while the follower does not look, once it follows live."""
    told: list[Told] = []
    async with aclosing(reading.follow(SHOP, after)) as stream:
        await anext(stream)
        async for at, entries in stream:
            told += [(e.partition, e.position, e.id) for e in entries]
            if meanwhile:
                await meanwhile()
                meanwhile = None
            if all(map(int.__ge__, at, until)):
                return told
    raise AssertionError("a follower never ends by itself")


def test_kafka_coming_and_going_costs_nothing(topic: JournalTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(journal, "RECORDS", 3)
    topic.publish(leads(SHOP, "Olena", "Petro", "Taras"))
    reading = Restless(topic.bootstrap, topic.name)
    assert in_order(asyncio.run(followed(reading, BEGINNING, topic.next))) == topic.of(SHOP)
    assert reading.looks > 6


def test_who_is_slower_than_what_is_kept_reads_on_from_kafka(
    topic: JournalTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT", 4_000)
    monkeypatch.setattr(journal, "RECORDS", 3)
    reading = Journal(topic.bootstrap, topic.name)
    caught_up = []
    between = reading.between

    def noted(at: Any, until: Any, wanted: Any) -> Any:
        caught_up.append(sum(until) - sum(at))
        return between(at, until, wanted)

    monkeypatch.setattr(reading, "between", noted)

    async def meanwhile() -> None:
        await topic.send(list(topic.placed(leads(SHOP, *(f"Lead {n}" for n in range(9))))))
        while sum(reading.places) < sum(topic.next):
            await reading.moved.wait()

    assert in_order(asyncio.run(followed(reading, None, topic.next, meanwhile))) == topic.of(SHOP)
    assert caught_up[0] == 0 and max(caught_up) > 10
