"""Subscriptions that are filtered by indexed columns: rows that fulfil the filter, and those that have left it."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from websockets.sync.client import ClientConnection

from api.live.subscriptions import operation
from tests.support.change_notices import notify
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import OLENA_PHONE, SHOP, deal, id_of, insert, payment
from tests.support.timeouts import TIMEOUT

BOARD = 'subscription { dealChanged(stage: ["new", "talks"]) { left cursor deal { number stage } } }'
KEYS = {n: id_of(f"deal {n}") for n in (7, 8, 9, 10)}


@pytest.fixture(params=["one SQL statement", "resolvers"])
def api(request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    if request.param == "resolvers":
        monkeypatch.setattr(operation, "compile_statement", lambda *_: None)
    with api_server(database_url) as api:
        yield api


def heard(ws: ClientConnection) -> dict[str, Any]:
    payload = json.loads(ws.recv(TIMEOUT))["payload"]
    (change,) = payload["data"].values()
    change.pop("cursor", None)
    found: dict[str, Any] = change
    return found


def move(connection: psycopg.Connection[Any], number: int, before: str | None, after: str) -> None:
    """Changes a deal, as the project role does."""
    insert(connection, SHOP, deal(number, stage=after))
    was = {"stage": before, "owner": "taras@shop.ua", "contact_id": id_of("Olena")}
    notify(connection, SHOP, "deal", KEYS[number], before={KEYS[number]: was} if before else {})
    connection.commit()


def test_a_board_gets_cards_that_come_change_and_leave(api: ApiServer) -> None:
    with api.subscribed(BOARD) as ws, psycopg.connect(api.dsn) as connection:
        move(connection, 9, "won", "lost")  # it was not on the board and is not now
        move(connection, 9, "lost", "talks")
        assert heard(ws) == {"left": False, "deal": {"number": 9, "stage": "talks"}}
        move(connection, 9, None, "talks")
        assert heard(ws) == {"left": False, "deal": {"number": 9, "stage": "talks"}}
        move(connection, 9, "talks", "won")
        assert heard(ws) == {"left": True, "deal": {"number": 9, "stage": "won"}}
        connection.execute("DELETE FROM read.deal WHERE deal_id = %s", [KEYS[7]])
        notify(connection, SHOP, "deal", KEYS[7], before={KEYS[7]: {"stage": "new"}})
        connection.commit()
        assert heard(ws) == {"left": True, "deal": None}


def test_filters_of_two_columns_are_both_fulfilled_and_share_one_read(api: ApiServer) -> None:
    query = 'subscription ($owner: [String!]) { dealChanged(owner: $owner, stage: ["won"]) { left deal { number } } }'
    with api.websocket() as ws, psycopg.connect(api.dsn) as connection:
        for owner in ("taras@shop.ua", "olena@shop.ua"):
            payload = {"query": query, "variables": {"owner": [owner]}}
            ws.send(json.dumps({"id": owner, "type": "subscribe", "payload": payload}))
        every = {"query": "subscription { dealChanged { left } }"}
        ws.send(json.dumps({"id": "every", "type": "subscribe", "payload": every}))
        while sum(map(len, list(api.changes.hub.subscribers.values()))) < 3:
            assert api.thread.is_alive()
        cohorts = api.app.sockets.operations.cohorts.values()
        assert sorted(bool(cohort.results.columns) for cohort in cohorts) == [False, True]
        move(connection, 8, "new", "won")
        answers = {message["id"]: message["payload"] for message in (json.loads(ws.recv(TIMEOUT)) for _ in range(2))}
        assert answers == {
            "taras@shop.ua": {"data": {"dealChanged": {"left": False, "deal": {"number": 8}}}},
            "every": {"data": {"dealChanged": {"left": False}}},
        }


def test_values_of_every_type_are_compared(api: ApiServer) -> None:
    """A phone among several, a yes or no, an id in capitals."""
    olena, paid = id_of("Olena"), id_of("paid by Olena")
    queries = {
        "phone": f'subscription {{ contactChanged(phone: ["{OLENA_PHONE}", "+1"]) {{ left contact {{ name }} }} }}',
        "other": 'subscription { contactChanged(phone: "+1") { left } }',
        "parked": "subscription { paymentChanged(parked: true) { left id } }",
        "deal": f'subscription {{ paymentChanged(deal: "{KEYS[7].upper()}") {{ left id }} }}',
    }
    with api.websocket() as ws, psycopg.connect(api.dsn) as connection:
        for id, query in queries.items():
            ws.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": query}}))
        while sum(map(len, list(api.changes.hub.subscribers.values()))) < len(queries):
            assert api.thread.is_alive()
        notify(connection, SHOP, "contact", olena, before={})
        insert(connection, SHOP, payment("paid by Olena", False, KEYS[7]))
        before = {paid: {"parked": True, "deal_id": None, "contact_id": None, "candidates": []}}
        notify(connection, SHOP, "payment", paid, before=before)
        connection.commit()
        answers = {
            message["id"]: message["payload"]["data"] for message in (json.loads(ws.recv(TIMEOUT)) for _ in "123")
        }
    assert answers == {
        "phone": {"contactChanged": {"left": False, "contact": {"name": "Olena"}}},
        "parked": {"paymentChanged": {"left": True, "id": paid}},
        "deal": {"paymentChanged": {"left": False, "id": paid}},
    }


def test_after_a_disconnect_rows_that_may_have_left_are_sent(api: ApiServer) -> None:
    with api.subscribed(BOARD) as ws, psycopg.connect(api.dsn) as connection:
        move(connection, 10, None, "talks")
        cursor = json.loads(ws.recv(TIMEOUT))["payload"]["data"]["dealChanged"]["cursor"]
    while api.changes.hub.subscribers:
        assert api.thread.is_alive()
    with psycopg.connect(api.dsn) as connection:
        move(connection, 10, "talks", "won")
        with api.subscribed(BOARD.replace("stage", f'after: "{cursor}", stage', 1)) as ws:
            assert heard(ws) == {"left": True, "deal": {"number": 10, "stage": "won"}}


def test_an_old_project_role_does_not_say_what_a_row_was(api: ApiServer) -> None:
    """Then a row outside of the filter is reported as left: the client may have it."""
    with api.subscribed(BOARD) as ws, psycopg.connect(api.dsn) as connection:
        insert(connection, SHOP, deal(9, stage="won"))
        notify(connection, SHOP, "deal", KEYS[9])
        connection.commit()
        assert heard(ws) == {"left": True, "deal": {"number": 9, "stage": "won"}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("stage: []", "`stage` has 0 values, and a subscription takes 1 to 500 of them. Nothing was read."),
        (f'id: "{KEYS[7]}", stage: "new"', "Give either `id` or filters. Nothing was read."),
        ('title: "x"', "A subscription is filtered by columns that have an index, here: contact, "),
    ],
)
def test_what_cannot_be_followed_is_refused(api: ApiServer, arguments: str, sentence: str) -> None:
    with api.websocket() as ws:
        query = f"subscription {{ dealChanged({arguments}) {{ id }} }}"
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        refused = json.loads(ws.recv(TIMEOUT))
    assert refused["type"] == "error"
    assert sentence in refused["payload"][0]["message"]
    assert not api.changes.hub.subscribers
