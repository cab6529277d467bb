"""The query `events`: the journal page by page, for programs that look in from time to time."""

from typing import Any

import pytest

from tests.integration.api.live.test_events import api, in_order, leads, served_api, topic
from tests.support.graphql_server import ApiServer
from tests.support.journal_topic import EventPosition, JournalTopic, read_until, subscribe_events
from tests.support.shop_rows import OTHER, SHOP

__all__ = ["api", "served_api", "topic"]
PAGE = """query ($after: String!, $first: Int!, $types: [String!]) {
  events(after: $after, first: $first, types: $types) { cursor next more events { partition position id type } } }"""


def page(api: ApiServer, after: str, first: int = 100, types: list[str] | None = None) -> Any:
    return api.data(PAGE, after=after, first=first, types=types)["events"]


@pytest.mark.parametrize("first", [1, 3, 500])
def test_pages_have_each_event_once_and_in_order(api: ApiServer, topic: JournalTopic, first: int) -> None:
    """For a program that looks in from time to time: a worker of cron, a page that holds no connection open."""
    topic.publish([*leads(SHOP, "Olena", "Petro"), *leads(OTHER, "Ivan"), *leads(SHOP, "Taras")])
    found: list[EventPosition] = []
    cursor, more = "0", True
    while more:
        given = page(api, cursor, first)
        assert len(given["events"]) <= first
        found += [(e["partition"], e["position"], e["id"]) for e in given["events"]]
        cursor, more = given["cursor"], given["more"]
    assert in_order(found) == topic.of(SHOP)
    assert page(api, cursor) | {"cursor": ""} == {"cursor": "", "next": topic.next, "more": False, "events": []}
    topic.repeat(4)
    topic.publish(leads(SHOP, "Danylo"))
    later = [event["id"] for event in page(api, cursor)["events"]]
    assert set(later) == {id for *_, id in topic.of(SHOP)} - {id for *_, id in found}
    with subscribe_events(api, after=cursor) as ws:  # a cursor of the one goes on in the other
        assert sorted(id for *_, id in read_until(ws, topic.next)[0]) == sorted(later)


def test_a_page_has_only_the_requested_types(api: ApiServer, topic: JournalTopic) -> None:
    topic.publish(leads(SHOP, "Olena", "Petro"))
    found = page(api, "0", types=["DealOpened"])
    assert [event["type"] for event in found["events"]] == ["DealOpened", "DealOpened"]
    assert (found["more"], found["next"]) == (False, topic.next)


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        ({"first": 501}, "BAD_INPUT", "`first` is 501; it takes 1 to 500."),
        ({"types": ["DealOpend"]}, "BAD_INPUT", "There is no event type DealOpend."),
        ({"after": "zzz"}, "BAD_CURSOR", "This is not a valid cursor."),
    ],
)
def test_a_page_that_cannot_be_is_refused(api: ApiServer, given: Any, code: str, sentence: str) -> None:
    found, message = api.error(PAGE, **{"after": "0", "first": 1, "types": None, **given})
    assert (found, sentence in message) == (code, True)


def test_a_page_waits_for_kafka_only_so_long(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.events.PATIENCE", 0.0)
    assert api.error(PAGE, after="0", first=1) == ("UNAVAILABLE", "Kafka does not answer. Nothing was read; try again.")
