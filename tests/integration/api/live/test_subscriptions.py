"""GraphQL subscriptions: changes are sent after commit to permitted subscribers, also across a lost connection."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from api.live.changes import LISTENER
from api.live.journal import Journal
from crm.events import DealStageMoved
from crm.scalars import Id
from tests.conftest import database_of
from tests.support.change_notices import advance_checkpoint, notify
from tests.support.graphql_server import PROTOCOL, ApiServer, FakeToken, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.scenarios import meta
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, SHOP_ROWS, deal, id_of, insert
from tests.support.timeouts import TIMEOUT


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


def test_a_changed_deal_is_sent_after_commit_to_its_subscribers(api: ApiServer) -> None:
    with (
        api.subscribed(f'subscription {{ dealChanged(id: "{id_of("deal 7")}") {{ deal {{ number stage }} }} }}') as ws,
        psycopg.connect(api.dsn) as connection,
    ):
        insert(connection, SHOP, deal(8, stage="won"), deal(7, 5, stage="talks", fields={"size": '"L"'}))
        notify(connection, OTHER, "deal", id_of("deal 7"))
        notify(connection, SHOP, "deal", id_of("deal 8"), id_of("deal 7"))
        connection.commit()
        received = json.loads(ws.recv(TIMEOUT))
        assert received == {
            "id": "1", "type": "next", "payload": {"data": {"dealChanged": {"deal": {"number": 7, "stage": "talks"}}}},
        }  # fmt: skip
        insert(connection, SHOP, *SHOP_ROWS)
        connection.commit()


def test_a_ring_is_sent_with_name_open_deals_and_owner(api: ApiServer) -> None:
    query = "subscription { ringing { call { phone contact { name } openDeals { number } owner } } }"
    with api.subscribed(query) as ws, psycopg.connect(api.dsn, autocommit=True) as connection:
        notify(connection, SHOP, "call", id_of("ended"), id_of("ring"))
        received = json.loads(ws.recv(TIMEOUT))["payload"]
    assert received == {
        "data": {"ringing": {"call": {"phone": OLENA_PHONE, "contact": {"name": "Olena"},
                                      "openDeals": [{"number": 7}, {"number": 8}], "owner": "taras@shop.ua"}}}
    }  # fmt: skip


def test_changes_committed_while_nobody_listens_are_sent_too(api: ApiServer, kafka_bootstrap: str) -> None:
    """Postgres forgets a notification that nobody listens to: a card changed while the API's connection was cut, and
    the salesperson's screen never showed it. The journal does not forget."""
    topic = JournalTopic(kafka_bootstrap)
    api.changes.hub.journal = Journal(kafka_bootstrap, topic.name)
    moves = [
        DealStageMoved(meta(f"move {n}", workspace=Id(SHOP)), id_of(f"deal {n}"), id_of("Olena"), "new", "talks")
        for n in (7, 8, 9)
    ]
    with (
        api.subscribed("subscription { dealChanged { deal { number } } }") as ws,
        psycopg.connect(api.dsn, autocommit=True) as connection,
        psycopg.connect(database_of(api.dsn, "postgres"), autocommit=True) as superuser,
    ):
        allowed = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
        database = sql.Identifier(connection.info.dbname)
        superuser.execute(sql.SQL(allowed).format(database, sql.SQL("false")))
        ((ended,),) = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [LISTENER],
        ).fetchall()
        assert ended
        topic.publish(moves)
        for partition, position, _ in topic.published:
            advance_checkpoint(connection, "deal", partition, position + 1)
        superuser.execute(sql.SQL(allowed).format(database, sql.SQL("true")))
        received = sorted(
            json.loads(ws.recv(TIMEOUT))["payload"]["data"]["dealChanged"]["deal"]["number"] for _ in moves
        )
        notify(connection, SHOP, "deal", id_of("deal 8"))
        last = json.loads(ws.recv(TIMEOUT))["payload"]["data"]["dealChanged"]["deal"]["number"]
    assert (received, last) == ([7, 8, 9], 8)


def test_a_revoked_token_gets_no_more_messages(api: ApiServer) -> None:
    api.keys.known["crm_live_brief"] = FakeToken(SHOP)
    with api.subscribed("subscription { dealChanged { deal { number } } }", "crm_live_brief") as ws:
        del api.keys.known["crm_live_brief"]
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            notify(connection, SHOP, "deal", id_of("deal 7"))
        received = json.loads(ws.recv(TIMEOUT))
    assert received["type"] == "error"
    assert [error["extensions"] for error in received["payload"]] == [{"code": "UNAUTHORIZED"}]


def test_a_websocket_with_a_wrong_token_is_closed(api: ApiServer) -> None:
    with connect(f"ws://127.0.0.1:{api.port}/graphql", subprotocols=[PROTOCOL], proxy=None, open_timeout=TIMEOUT) as ws:
        ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": "Bearer crm_live_x"}}))
        with pytest.raises(ConnectionClosedError) as closed:
            ws.recv(TIMEOUT)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
