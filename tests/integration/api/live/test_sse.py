"""Subscriptions as event streams: messages with ids, resumed by Last-Event-ID, errors sent within the stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.change_notices import notify
from tests.support.graphql_server import ApiServer, FakeToken, api_server
from tests.support.shop_rows import SHOP, id_of
from tests.support.timeouts import TIMEOUT

CHANGED = "subscription ($id: ID) { dealChanged(id: $id) { cursor deal { number } } }"
Event = dict[str, str]


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@contextmanager
def stream(api: ApiServer, query: str, token: str = "crm_live_shop", last: str = "", **variables: Any) -> Iterator[Any]:
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    headers |= {"last-event-id": last} if last else {}
    body = {"query": query, "variables": variables}
    url = f"http://127.0.0.1:{api.port}/graphql"
    with httpx.stream("POST", url, json=body, headers=headers, trust_env=False, timeout=TIMEOUT) as answer:
        yield answer


def events(answer: httpx.Response) -> Iterator[Event]:
    """As https://html.spec.whatwg.org/multipage/server-sent-events.html reads them, comments left out."""
    event: Event = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(":")
        if name:
            value = value.removeprefix(" ")
            event[name] = f"{event[name]}\n{value}" if name in event else value
        elif not line:
            if "event" in event:
                yield event
            event = {}


def subscribed(api: ApiServer) -> None:
    while not api.changes.hub.subscribers:
        assert api.thread.is_alive()


def test_a_change_comes_as_an_event_and_its_id_resumes(api: ApiServer) -> None:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        with stream(api, CHANGED) as answer:
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
            subscribed(api)
            notify(connection, SHOP, "deal", id_of("deal 7"))
            message = next(events(answer))
        change = json.loads(message["data"])["data"]["dealChanged"]
        assert (message["event"], change["deal"], change["cursor"]) == ("next", {"number": 7}, message["id"])
        notify(connection, SHOP, "deal", id_of("deal 8"))
        with stream(api, CHANGED, last=message["id"]) as answer:
            again = json.loads(next(events(answer))["data"])["data"]["dealChanged"]["deal"]
        assert again == {"number": 8}


def test_events_of_the_journal_take_a_last_event_id_too(api: ApiServer) -> None:
    with stream(api, "subscription { events { cursor } }", last="nonsense") as answer:
        message, done = events(answer)
    assert json.loads(message["data"])["errors"][0]["extensions"] == {"code": "BAD_CURSOR"}
    assert done == {"event": "complete", "data": ""}


@pytest.mark.parametrize(
    ("query", "code"),
    [("subscription { nonsense }", "BAD_QUERY"), ("subscription {", "BAD_QUERY"),
     ('subscription { dealChanged(after: "x") { id } }', "BAD_CURSOR")],
)  # fmt: skip
def test_errors_are_sent_within_the_stream(api: ApiServer, query: str, code: str) -> None:
    with stream(api, query) as answer:
        message, done = events(answer)
    assert (answer.status_code, done["event"]) == (200, "complete")
    assert json.loads(message["data"])["errors"][0]["extensions"]["code"] == code


def test_a_query_is_one_event(api: ApiServer) -> None:
    with stream(api, "{ deal(number: 7) { number } }") as answer:
        message, done = events(answer)
    assert (json.loads(message["data"])["data"], done["event"]) == ({"deal": {"number": 7}}, "complete")


def test_without_a_token_there_is_no_stream(api: ApiServer) -> None:
    with stream(api, CHANGED, token="crm_live_x") as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json; charset=utf-8")


def test_a_revoked_token_ends_the_stream(api: ApiServer) -> None:
    api.keys.known["crm_live_brief"] = FakeToken(SHOP)
    with (
        stream(api, CHANGED, token="crm_live_brief") as answer,
        psycopg.connect(api.dsn, autocommit=True) as connection,
    ):
        subscribed(api)
        del api.keys.known["crm_live_brief"]
        notify(connection, SHOP, "deal", id_of("deal 7"))
        message, done = events(answer)
    assert json.loads(message["data"])["errors"][0]["extensions"] == {"code": "UNAUTHORIZED"}
    assert done["event"] == "complete"
