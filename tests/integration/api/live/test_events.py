"""The subscription `events`: each event once and in order, across disconnects, repeats and slow clients."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError

from api.live import journal
from api.live.journal import Journal
from api.live.positions import BEGINNING, Positions, positions_of
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.scalars import Id
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import EventPosition, JournalTopic, next_error, next_page, read_until, subscribe_events
from tests.support.records import events_of
from tests.support.scenarios import form
from tests.support.shop_rows import OTHER, SHOP


@pytest.fixture(scope="module")
def served_api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@pytest.fixture
def topic(kafka_bootstrap: str) -> JournalTopic:
    return JournalTopic(kafka_bootstrap)


@pytest.fixture
def api(served_api: ApiServer, topic: JournalTopic) -> ApiServer:
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


def in_order(found: list[EventPosition]) -> list[EventPosition]:
    """Sorted by partition, each partition's events as they came."""
    return sorted(found, key=lambda t: t[0])


def test_a_published_event_is_sent_to_its_workspace_with_all_its_fields(api: ApiServer, topic: JournalTopic) -> None:
    fields = "cursor events { position partition id type stream occurredAt recordedAt actor cause data }"
    with subscribe_events(api, fields=fields) as ws:
        assert next_page(ws)["events"] == []
        (opened,) = [e for e in leads(SHOP, "Olena") if type(e).__name__ == "DealOpened"]
        topic.publish([*leads(OTHER, "Petro"), opened])
        found = next_page(ws)
        while not found["events"]:
            found = next_page(ws)
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


def test_every_cursor_resumes_where_its_page_ended(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish([*leads(SHOP, "Olena", "Petro"), *leads(OTHER, "Ivan")])
    with subscribe_events(api, after="0") as ws:
        found, cursors = read_until(ws, topic.next)
        topic.publish([*leads(OTHER, "Petro"), *leads(SHOP, "Taras")])
        more, later = read_until(ws, topic.next)
    found += more
    assert in_order(found) == topic.of(SHOP)
    topic.publish(leads(SHOP, "Danylo"))
    for cursor in [*cursors, *later]:
        with subscribe_events(api, after=cursor) as ws:
            rest, _ = read_until(ws, topic.next)
        delivered = [t for t in found if t[1] < positions_of(cursor, SHOP)[t[0]]]
        assert sorted([*delivered, *rest]) == topic.of(SHOP)


def test_what_the_relay_repeats_is_sent_once(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena", "Petro"))
    with subscribe_events(api) as live, subscribe_events(api, after="0") as late:
        next_page(live)
        topic.repeat(5)
        topic.publish(leads(SHOP, "Taras"))
        topic.repeat(9)
        topic.publish(leads(SHOP, "Danylo"))
        assert in_order(read_until(late, topic.next)[0]) == topic.of(SHOP)
        dispatched, _ = read_until(live, topic.next)
        new = [
            (p, at, e.meta.id) for p, at, e in topic.published if e in [*leads(SHOP, "Taras"), *leads(SHOP, "Danylo")]
        ]
        assert in_order(dispatched) == sorted(new)
    with subscribe_events(api, after="0") as again:
        assert in_order(read_until(again, topic.next)[0]) == topic.of(SHOP)


def test_the_cursor_moves_on_while_others_are_busy(api: ApiServer, topic: JournalTopic) -> None:
    with subscribe_events(api) as ws:
        assert next_page(ws)["next"] == list(BEGINNING)
        topic.publish(leads(OTHER, "Petro"))
        found, _ = read_until(ws, topic.next)
    assert found == []


def test_only_events_of_the_requested_types_are_sent(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    with subscribe_events(api, after="0", types=["DealOpened"]) as ws:
        found, _ = read_until(ws, topic.next)
    assert [id for *_, id in found] == [e.meta.id for *_, e in topic.published if type(e).__name__ == "DealOpened"]
    with subscribe_events(api, types=["DealOpend"]) as ws:
        assert next_error(ws)[0] == "BAD_INPUT"


def test_a_cursor_of_another_workspace_or_of_a_longer_journal_is_refused(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    with subscribe_events(api, after="0") as ws:
        _, (*_, cursor) = read_until(ws, topic.next)
    with subscribe_events(api, after=cursor, token="crm_live_other") as ws:
        code, message = next_error(ws)
    assert (code, "belongs to another workspace" in message) == ("BAD_CURSOR", True)
    api.changes.hub.journal = Journal(topic.bootstrap, JournalTopic(topic.bootstrap).name)
    with subscribe_events(api, after=cursor) as ws:
        code, message = next_error(ws)
    assert (code, "beyond the journal" in message) == ("BAD_CURSOR", True)


def test_a_gap_in_the_journal_is_reported_and_not_skipped(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena"))
    partition, _, event = topic.published[0]
    hole = [(partition, topic.next[partition] + 1, event)]
    with subscribe_events(api) as live:
        next_page(live)
        asyncio.run(topic.send(hole))
        assert next_error(live)[0] == "JOURNAL_GAP"
    with subscribe_events(api, after="0") as late:
        topic.next[partition] += 2
        assert next_error(late)[0] == "JOURNAL_GAP"


def test_an_event_of_a_newer_version_is_sent_without_its_fields(api: ApiServer, topic: JournalTopic) -> None:
    """While a new version is rolled out, older replicas of the API meet events whose schema they do not have."""
    (event, *_) = leads(SHOP, "Olena")
    newer = b"\0\0\0\xff\xff" + encode(event)[5:]
    with subscribe_events(api, fields="events { id stream cause type data }") as ws:
        assert next_page(ws)["events"] == []
        asyncio.run(topic.send(list(topic.placed([event])), newer))
        (found,) = next_page(ws)["events"]
    meta = event.meta
    assert found == {
        "id": meta.id,
        "stream": meta.stream,
        "cause": meta.cause,
        "type": "ContactCreated",
        "data": None,
    }


def test_nothing_is_read_without_followers(api: ApiServer, topic: JournalTopic) -> None:
    with subscribe_events(api) as ws:
        next_page(ws)
        assert api.changes.hub.journal.task is not None
    while api.changes.hub.journal.task:
        assert api.thread.is_alive()
    assert api.changes.hub.journal.followed == {}


class Restless(Journal):
    """Kafka fails at every third fetch."""

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


async def followed(
    reading: Journal, after: Positions | None, until: Sequence[int], meanwhile: Any = None
) -> list[EventPosition]:
    """`meanwhile` runs while the follower does not look, once it follows live."""
    found: list[EventPosition] = []
    async with aclosing(reading.follow(SHOP, after)) as stream:
        await anext(stream)
        async for at, entries in stream:
            found += [(e.partition, e.position, e.id) for e in entries]
            if meanwhile:
                await meanwhile()
                meanwhile = None
            if all(map(int.__ge__, at, until)):
                return found
    raise AssertionError("a follower never ends by itself")


def test_kafka_coming_and_going_costs_nothing(topic: JournalTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(journal, "RECORDS", 3)
    topic.publish(leads(SHOP, "Olena", "Petro", "Taras"))
    reading = Restless(topic.bootstrap, topic.name)
    assert in_order(asyncio.run(followed(reading, BEGINNING, topic.next))) == topic.of(SHOP)
    assert reading.looks > 6


def test_a_follower_slower_than_the_buffer_reads_on_from_kafka(
    topic: JournalTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT", 4_000)
    monkeypatch.setattr(journal, "RECORDS", 3)
    reading = Journal(topic.bootstrap, topic.name)
    caught_up = []
    read_range = reading.read_range

    def noted(at: Any, until: Any, wanted: Any) -> Any:
        caught_up.append(sum(until) - sum(at))
        return read_range(at, until, wanted)

    monkeypatch.setattr(reading, "read_range", noted)

    async def meanwhile() -> None:
        await topic.send(list(topic.placed(leads(SHOP, *(f"Lead {n}" for n in range(9))))))
        while sum(reading.positions) < sum(topic.next):
            await reading.moved.wait()

    assert in_order(asyncio.run(followed(reading, None, topic.next, meanwhile))) == topic.of(SHOP)
    assert caught_up[0] == 0 and max(caught_up) > 10
