"""After a disconnect a subscription resumes from its last cursor: each changed row once, then live changes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from websockets.sync.client import ClientConnection

from api.live.journal import Journal
from api.live.subscriptions import catch_up
from crm.events import DealStageMoved
from crm.scalars import Id
from crm.topics import JOURNAL
from tests.support.change_notices import advance_checkpoint, notify, notify_again
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.scenarios import meta
from tests.support.shop_rows import OTHER, SHOP, deal, id_of, insert
from tests.support.timeouts import TIMEOUT

DEALS = {n: id_of(f"deal {n}") for n in (7, 8, 9, 10)}
Change = tuple[int | None, str]  # number and cursor


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            insert(connection, SHOP, deal(10))
        yield api


@contextmanager
def following(api: ApiServer, after: str | None = None, id: str | None = None) -> Iterator[ClientConnection]:
    given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in (("after", after), ("id", id)) if value)
    arguments = f"({given})" if given else ""
    with api.subscribed(f"subscription {{ dealChanged{arguments} {{ cursor id deal {{ number stage }} }} }}") as ws:
        yield ws


def next_change(ws: ClientConnection) -> Change:
    message = json.loads(ws.recv(TIMEOUT))
    assert message["type"] == "next", message
    change = message["payload"]["data"]["dealChanged"]
    return change["deal"] and change["deal"]["number"], change["cursor"]


def gone(api: ApiServer) -> None:
    while api.changes.hub.subscribers:
        api.goes_on()


def nothing_more(connection: Any, ws: ClientConnection) -> bool:
    """Tells whether the next message is about the next change."""
    notify(connection, SHOP, "deal", DEALS[10])
    return next_change(ws)[0] == 10


@pytest.fixture
def connection(api: ApiServer) -> Iterator[Any]:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        yield connection


def test_changes_during_a_disconnect_are_sent_once_and_earlier_ones_are_not(api: ApiServer, connection: Any) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7])
        number, cursor = next_change(ws)
    gone(api)
    notify(connection, SHOP, "deal", DEALS[8])
    notify(connection, OTHER, "deal", DEALS[9])
    notify(connection, SHOP, "deal", DEALS[8])
    with following(api, cursor) as ws:
        assert (number, next_change(ws)[0]) == (7, 8)
        assert nothing_more(connection, ws)


def test_a_disconnect_between_two_rows_of_one_transaction_loses_and_repeats_none(
    api: ApiServer, connection: Any
) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7], DEALS[8], DEALS[9])
        pages = [next_change(ws) for _ in range(3)]
    numbers = [number for number, _ in pages]
    assert sorted(numbers, key=str) == [7, 8, 9]
    for n, (_, cursor) in enumerate(pages):
        gone(api)
        with following(api, cursor) as ws:
            rest = {*numbers[n + 1 :], *([10] if n else [])}  # 10 changed in the round before
            assert {next_change(ws)[0] for _ in rest} == rest
            assert nothing_more(connection, ws)


def test_a_repeated_notification_is_sent_once(api: ApiServer, connection: Any) -> None:
    """As after a listener's reconnect, or when the row was read after a later commit than that of the notification."""
    with following(api, id=DEALS[7]) as ws:
        next = notify(connection, SHOP, "deal", DEALS[7])
        assert next_change(ws)[0] == 7
        notify_again(connection, SHOP, "deal", next, DEALS[7])
        notify(connection, SHOP, "deal", DEALS[8])
        insert(connection, SHOP, deal(7, 6, stage="won"))
        notify(connection, SHOP, "deal", DEALS[7])
        change = json.loads(ws.recv(TIMEOUT))["payload"]["data"]["dealChanged"]
    assert change["deal"] == {"number": 7, "stage": "won"}


def test_a_deleted_row_is_sent_as_null(api: ApiServer, connection: Any) -> None:
    with following(api, id=id_of("no such deal")) as ws:
        notify(connection, SHOP, "deal", id_of("no such deal"))
        assert next_change(ws)[0] is None


def test_a_position_of_a_query_or_a_mutation_is_where_a_subscription_may_begin(api: ApiServer, connection: Any) -> None:
    """The list is read, then followed from exactly there: nothing falls between the two."""
    position = api.answer("{ deals(first: 5) { nodes { number } } }")["extensions"]["freshness"]["position"]
    notify(connection, SHOP, "deal", DEALS[9])
    with following(api, position) as ws:
        while (number := next_change(ws)[0]) != 9:
            assert number in (7, 8, 10)  # the position is the least of all projections


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        ("x", "This is not a valid cursor"),
        ("0:1", "does not name all 12 partitions"),
        ("0:a", "does not name all 12 partitions"),
    ],
)
def test_an_invalid_cursor_is_refused(api: ApiServer, after: str, sentence: str) -> None:
    query = f'subscription {{ dealChanged(after: "{after}") {{ id }} }}'
    with api.websocket() as ws:
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(TIMEOUT))
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_CURSOR")
    assert sentence in refused["payload"][0]["message"]


def test_a_cursor_of_another_subscription_is_refused(api: ApiServer, connection: Any) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7])
        _, cursor = next_change(ws)
    with api.websocket() as ws:
        query = f'subscription {{ contactChanged(after: "{cursor}") {{ id }} }}'
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(TIMEOUT))["payload"][0]
    assert "another workspace or subscription" in refused["message"]


@pytest.fixture
def replaced(api: ApiServer, kafka_bootstrap: str, connection: Any) -> JournalTopic:
    """Another process of the API than the one that gave the cursor: it remembers nothing, the journal does. It holds
    that deals 7, 8 and 9 moved."""
    topic = JournalTopic(kafka_bootstrap)
    api.changes.hub.journal = Journal(kafka_bootstrap, topic.name)
    contact = id_of("Olena")
    topic.publish(
        DealStageMoved(meta(f"move {n}", workspace=Id(SHOP)), DEALS[n], contact, "new", "talks") for n in (7, 8, 9)
    )
    for partition in range(JOURNAL.partitions):
        advance_checkpoint(connection, "deal", partition, topic.next[partition])
    progress = {name: tuple(topic.next) for name in api.changes.hub.dispatched}
    api.changes.hub.dispatched = {**progress}
    api.changes.hub.recent.begin(progress)
    return topic


def test_older_changes_come_from_the_journal(api: ApiServer, connection: Any, replaced: JournalTopic) -> None:
    with following(api, "0") as ws, following(api, "0", id=DEALS[8]) as one:
        assert sorted(str(next_change(ws)[0]) for _ in range(3)) == ["7", "8", "9"]
        assert next_change(one)[0] == 8


def test_a_cursor_too_old_needs_the_list_read_again_and_one_row_is_sent_as_it_is(
    api: ApiServer, replaced: JournalTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "SPAN", 2)
    with following(api, "0", id=DEALS[10]) as one:
        assert next_change(one)[0] == 10
    with api.websocket() as ws:
        query = 'subscription { dealChanged(after: "0") { id } }'
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(TIMEOUT))
    assert refused["payload"][0]["extensions"] == {"code": "CURSOR_TOO_OLD"}
