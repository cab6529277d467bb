"""GraphQL subscriptions: told after commit, to those who want it and may know, through a lost connection too."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from crm.scalars import Id
from tests.connected.graph import PROTOCOL, Api, Key, served
from tests.connected.shop_rows import OLENA_PHONE, OTHER, SHOP, SHOPS_ROWS, deal, id_of, insert


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url) as api:
        yield api


def notify(connection: psycopg.Connection[Any], workspace: str, projection: str, *keys: Id) -> None:
    payload = json.dumps({"projection": projection, "workspace": workspace, "keys": keys})
    connection.execute("SELECT pg_notify('changes', %s)", [payload])


def test_a_changed_deal_is_told_after_commit_to_those_who_want_it(api: Api) -> None:
    with (
        api.subscribed(f'subscription {{ dealChanged(id: "{id_of("deal 7")}") {{ number stage }} }}') as ws,
        psycopg.connect(api.dsn) as connection,
    ):
        insert(connection, SHOP, deal(8, stage="won"), deal(7, 5, stage="talks", fields={"size": '"L"'}))
        notify(connection, OTHER, "deal", id_of("deal 7"))
        notify(connection, SHOP, "deal", id_of("deal 8"), id_of("deal 7"))
        connection.commit()
        told = json.loads(ws.recv(5))
        assert told == {
            "id": "1", "type": "next", "payload": {"data": {"dealChanged": {"number": 7, "stage": "talks"}}},
        }  # fmt: skip
        insert(connection, SHOP, *SHOPS_ROWS)
        connection.commit()


def test_a_ring_is_told_with_name_open_deals_and_owner(api: Api) -> None:
    query = "subscription { ringing { phone contact { name } openDeals { number } owner } }"
    with api.subscribed(query) as ws, psycopg.connect(api.dsn, autocommit=True) as connection:
        notify(connection, SHOP, "call", id_of("ended"), id_of("ring"))
        told = json.loads(ws.recv(5))["payload"]
    assert told == {
        "data": {"ringing": {"phone": OLENA_PHONE, "contact": {"name": "Olena"},
                             "openDeals": [{"number": 7}, {"number": 8}], "owner": "taras@shop.ua"}}
    }  # fmt: skip


def test_listening_goes_on_after_postgres_ended_the_connection(api: Api) -> None:
    with api.subscribed("subscription { dealChanged { number } }") as ws:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            ended = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
            ((pid, _),) = connection.execute(ended).fetchall()
            listening: list[Any] = []
            while not listening:
                listening = connection.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND state = 'idle' AND pid <> %s", [pid]
                ).fetchall()
            notify(connection, SHOP, "deal", id_of("deal 9"))
        assert json.loads(ws.recv(5))["payload"] == {"data": {"dealChanged": {"number": 9}}}


def test_a_revoked_token_hears_nothing_more(api: Api) -> None:
    api.keys.known["crm_live_brief"] = Key(SHOP)
    with api.subscribed("subscription { dealChanged { number } }", "crm_live_brief") as ws:
        del api.keys.known["crm_live_brief"]
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            notify(connection, SHOP, "deal", id_of("deal 7"))
        payload = json.loads(ws.recv(5))["payload"]
    assert payload["data"] is None
    assert [error["extensions"] for error in payload["errors"]] == [{"code": "UNAUTHORIZED"}]


def test_a_websocket_with_a_wrong_token_is_closed(api: Api) -> None:
    with connect(f"ws://127.0.0.1:{api.port}/graphql", subprotocols=[PROTOCOL], proxy=None) as ws:
        ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": "Bearer crm_live_x"}}))
        with pytest.raises(ConnectionClosedError) as closed:
            ws.recv(5)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
