"""After a cut a subscription goes on with its last cursor: what changed since, each row once, then live."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from websockets.sync.client import ClientConnection

from api.live.journal import Journal
from api.live.subscriptions import catch_up as returning
from crm.events import DealStageMoved
from crm.scalars import Id
from crm.topics import JOURNAL
from tests.support.change_notices import again, notify, reach
from tests.support.graphql_server import Api, served
from tests.support.journal_topic import JournalTopic
from tests.support.patience import PATIENCE
from tests.support.scenarios import meta
from tests.support.shop_rows import OTHER, SHOP, deal, id_of, insert

DEALS = {n: id_of(f"deal {n}") for n in (7, 8, 9, 10)}
Told = tuple[int | None, str]  # number and cursor


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url) as api:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            insert(connection, SHOP, deal(10))
        yield api


@contextmanager
def following(api: Api, after: str | None = None, id: str | None = None) -> Iterator[ClientConnection]:
    given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in (("after", after), ("id", id)) if value)
    arguments = f"({given})" if given else ""
    with api.subscribed(f"subscription {{ dealChanged{arguments} {{ cursor id deal {{ number stage }} }} }}") as ws:
        yield ws


def told(ws: ClientConnection) -> Told:
    message = json.loads(ws.recv(PATIENCE))
    assert message["type"] == "next", message
    change = message["payload"]["data"]["dealChanged"]
    return change["deal"] and change["deal"]["number"], change["cursor"]


def gone(api: Api) -> None:
    while api.changes.hub.subscribers:
        assert api.thread.is_alive()


def nothing_more(connection: Any, ws: ClientConnection) -> bool:
    """What is told next is what changes next."""
    notify(connection, SHOP, "deal", DEALS[10])
    return told(ws)[0] == 10


@pytest.fixture
def connection(api: Api) -> Iterator[Any]:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        yield connection


def test_what_changed_meanwhile_is_told_once_and_what_was_told_is_not(api: Api, connection: Any) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7])
        number, cursor = told(ws)
    gone(api)
    notify(connection, SHOP, "deal", DEALS[8])
    notify(connection, OTHER, "deal", DEALS[9])
    notify(connection, SHOP, "deal", DEALS[8])
    with following(api, cursor) as ws:
        assert (number, told(ws)[0]) == (7, 8)
        assert nothing_more(connection, ws)


def test_a_cut_between_two_rows_of_one_transaction_loses_and_repeats_none(api: Api, connection: Any) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7], DEALS[8], DEALS[9])
        pages = [told(ws) for _ in range(3)]
    numbers = [number for number, _ in pages]
    assert sorted(numbers, key=str) == [7, 8, 9]
    for n, (_, cursor) in enumerate(pages):
        gone(api)
        with following(api, cursor) as ws:
            rest = {*numbers[n + 1 :], *([10] if n else [])}  # 10 changed in the round before
            assert {told(ws)[0] for _ in rest} == rest
            assert nothing_more(connection, ws)


def test_a_repeated_notification_is_told_once(api: Api, connection: Any) -> None:
    """As after a listener's reconnection, or when the row was read after a later commit than the one it was told of."""
    with following(api, id=DEALS[7]) as ws:
        next = notify(connection, SHOP, "deal", DEALS[7])
        assert told(ws)[0] == 7
        again(connection, SHOP, "deal", next, DEALS[7])
        notify(connection, SHOP, "deal", DEALS[8])
        insert(connection, SHOP, deal(7, 6, stage="won"))
        notify(connection, SHOP, "deal", DEALS[7])
        change = json.loads(ws.recv(PATIENCE))["payload"]["data"]["dealChanged"]
    assert change["deal"] == {"number": 7, "stage": "won"}


def test_a_row_that_is_no_more_is_told_as_null(api: Api, connection: Any) -> None:
    with following(api, id=id_of("no such deal")) as ws:
        notify(connection, SHOP, "deal", id_of("no such deal"))
        assert told(ws)[0] is None


def test_a_position_of_a_query_or_a_mutation_is_where_a_subscription_may_begin(api: Api, connection: Any) -> None:
    """The list is read, then followed from exactly there: nothing falls between the two."""
    position = api.answer("{ deals(first: 5) { nodes { number } } }")["extensions"]["freshness"]["position"]
    notify(connection, SHOP, "deal", DEALS[9])
    with following(api, position) as ws:
        while (number := told(ws)[0]) != 9:
            assert number in (7, 8, 10)  # the position is the least of all projections


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        ("x", "This is no cursor"),
        ("0:1", "does not name all 12 partitions"),
        ("0:a", "does not name all 12 partitions"),
    ],
)
def test_what_is_no_cursor_is_refused(api: Api, after: str, sentence: str) -> None:
    query = f'subscription {{ dealChanged(after: "{after}") {{ id }} }}'
    with api.speaking() as ws:
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(PATIENCE))
    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_CURSOR")
    assert sentence in refused["payload"][0]["message"]


def test_a_cursor_of_another_subscription_is_refused(api: Api, connection: Any) -> None:
    with following(api) as ws:
        notify(connection, SHOP, "deal", DEALS[7])
        _, cursor = told(ws)
    with api.speaking() as ws:
        query = f'subscription {{ contactChanged(after: "{cursor}") {{ id }} }}'
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(PATIENCE))["payload"][0]
    assert "another subscription" in refused["message"]


@pytest.fixture
def replaced(api: Api, kafka_bootstrap: str, connection: Any) -> JournalTopic:
    """Another process of the API than the one that gave the cursor: it remembers nothing, the journal does. It holds
    that deals 7, 8 and 9 moved."""
    topic = JournalTopic(kafka_bootstrap)
    api.changes.hub.journal = Journal(kafka_bootstrap, topic.name)
    contact = id_of("Olena")
    topic.publish(
        DealStageMoved(meta(f"move {n}", workspace=Id(SHOP)), DEALS[n], contact, "new", "talks") for n in (7, 8, 9)
    )
    for partition in range(JOURNAL.partitions):
        reach(connection, "deal", partition, topic.next[partition])
    reached = {name: tuple(topic.next) for name in api.changes.hub.heard}
    api.changes.hub.heard = {**reached}
    api.changes.hub.recent.begin(reached)
    return topic


def test_what_the_process_does_not_remember_comes_out_of_the_journal(
    api: Api, connection: Any, replaced: JournalTopic
) -> None:
    with following(api, "0") as ws, following(api, "0", id=DEALS[8]) as one:
        assert sorted(str(told(ws)[0]) for _ in range(3)) == ["7", "8", "9"]
        assert told(one)[0] == 8


def test_too_far_back_a_list_is_to_be_read_again_and_one_row_is_told_as_it_stands(
    api: Api, replaced: JournalTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returning, "SPAN", 2)
    with following(api, "0", id=DEALS[10]) as one:
        assert told(one)[0] == 10
    with api.speaking() as ws:
        query = 'subscription { dealChanged(after: "0") { id } }'
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(PATIENCE))
    assert refused["payload"][0]["extensions"] == {"code": "CURSOR_TOO_OLD"}
