"""The query `eventPage`: those who poll read the same journal, by the same cursor."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.live.journal import Journal
from tests.integration.api.live.test_events import leads
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import JournalTopic, read_until, subscribe_events
from tests.support.shop_rows import OTHER, SHOP

PAGE = """query ($after: String, $types: [String!], $first: Int! = 100) {
  eventPage(after: $after, types: $types, first: $first) { cursor next events { id type position partition } }
}"""


@pytest.fixture(scope="module")
def served_api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@pytest.fixture
def api(served_api: ApiServer, kafka_bootstrap: str) -> tuple[ApiServer, JournalTopic]:
    topic = JournalTopic(kafka_bootstrap)
    served_api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    return served_api, topic


def page(api: ApiServer, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.data(PAGE, **given)["eventPage"]
    return found


def all_pages(api: ApiServer, after: str, **given: Any) -> tuple[list[str], str]:
    """Returns the ids of all events after a cursor, and the last cursor."""
    ids: list[str] = []
    while found := page(api, after=after, **given):
        ids += [event["id"] for event in found["events"]]
        if not found["events"] and found["cursor"] == after:
            break
        after = found["cursor"]
    return ids, after


def test_pages_give_each_event_once_and_nothing_of_others(api: tuple[ApiServer, JournalTopic]) -> None:
    server, topic = api
    topic.publish([*leads(SHOP, "Olena", "Petro"), *leads(OTHER, "Ivan")])
    ids, after = all_pages(server, "0", first=2)
    assert sorted(ids) == sorted(id for _, _, id in topic.of(SHOP))
    assert all_pages(server, after)[0] == []
    topic.publish(leads(SHOP, "Taras"))
    deals = [event.meta.id for event in leads(SHOP, "Taras") if type(event).__name__ == "DealOpened"]
    assert all_pages(server, after, types=["DealOpened"])[0] == deals


def test_a_cursor_of_a_page_serves_the_subscription_and_back(api: tuple[ApiServer, JournalTopic]) -> None:
    server, topic = api
    topic.publish(leads(SHOP, "Olena"))
    after = page(server)["cursor"]
    assert page(server, after=after)["events"] == []
    topic.publish(leads(SHOP, "Petro"))
    ids, _ = all_pages(server, after)
    with subscribe_events(server, after=after) as ws:
        found, _ = read_until(ws, topic.next)
    assert sorted(ids) == sorted(id for _, _, id in found)


def test_what_cannot_be_read_is_said(api: tuple[ApiServer, JournalTopic]) -> None:
    server, _ = api
    assert "There is no event type Nothing." in server.error(PAGE, types=["Nothing"])[1]
    assert "`first` is 1 to 500." in server.error(PAGE, first=0)[1]
