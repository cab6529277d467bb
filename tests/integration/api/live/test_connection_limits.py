"""Limits of websockets and event streams, on real sockets: each ends with its code."""

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.live.subscriptions.limits import LIMITS, Limits
from tests.support.change_notices import notify
from tests.support.graphql_server import PROTOCOL, ApiServer, api_server
from tests.support.shop_rows import SHOP, deal, id_of, insert
from tests.support.timeouts import TIMEOUT

SMALL = replace(LIMITS, connections=3, per_token=2, operations=2, message_bytes=2_000, burst=20, messages=0.001)
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer crm_live_shop"}}
CHANGED = {"query": "subscription { dealChanged { id } }"}


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url, SMALL) as api:
        yield api


@contextmanager
def bounded(api: ApiServer, limits: Limits) -> Iterator[None]:
    """The application looks at these from its next connection on."""
    connections = api.app.sockets.connections
    connections.limits = limits
    try:
        yield
    finally:
        connections.limits = SMALL


@contextmanager
def opened(api: ApiServer, *said: dict[str, Any], **more: Any) -> Iterator[ClientConnection]:
    address = f"ws://127.0.0.1:{api.port}/graphql"
    with connect(address, **{"subprotocols": [PROTOCOL], "proxy": None, "open_timeout": TIMEOUT, **more}) as ws:
        for message in said:
            ws.send(json.dumps(message))
        yield ws


def closed(ws: ClientConnection) -> int:
    """With which code the server closes it."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            ws.recv(TIMEOUT)
    assert ws.protocol.close_rcvd is not None
    return ws.protocol.close_rcvd.code


def let_go(limit: str) -> float:
    return REGISTRY.get_sample_value("crm_api_connections_let_go_total", {"limit": limit}) or 0.0


SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": CHANGED}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["{"], 4400),
        (["[]"], 4400),
        ([b"\0"], 4400),
        ([json.dumps({"type": "ping"})], 4400),
        ([json.dumps(SUBSCRIBE)], 4401),
        ([json.dumps({"type": "connection_init"})], 4403),
        ([json.dumps({"type": "connection_init", "payload": {"authorization": "Bearer x"}})], 4403),
        ([json.dumps(INIT), json.dumps(INIT)], 4429),
        ([json.dumps(INIT), json.dumps({"type": "start"})], 4400),
        ([json.dumps(INIT), json.dumps({"type": "subscribe", "payload": CHANGED})], 4400),
        ([json.dumps(INIT), json.dumps({"id": "1", "type": "subscribe", "payload": {"query": 1}})], 4400),
        ([json.dumps(INIT), json.dumps({"id": "1", "type": "subscribe", "payload": "x"})], 4400),
        ([json.dumps(INIT), json.dumps(SUBSCRIBE), json.dumps(SUBSCRIBE)], 4409),
        ([json.dumps(INIT), "x" * 2_001], 1009),
        ([json.dumps(INIT), *[json.dumps({"type": "ping"})] * 25], 4441),
    ],
)
def test_breaking_the_protocol_or_a_limit_closes_with_its_code(api: ApiServer, said: list[Any], code: int) -> None:
    with opened(api) as ws:
        with contextlib.suppress(ConnectionClosed):  # the last ones may find it closed already
            for message in said:
                ws.send(message)
        assert closed(ws) == code
    assert api.changes.hub.subscribers == {}


def test_another_protocol_is_closed_and_another_path_refused(api: ApiServer) -> None:
    with opened(api, subprotocols=None) as ws:
        assert closed(ws) == 4406
    with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{api.port}/other", proxy=None, open_timeout=TIMEOUT):
        pass


def test_a_silent_client_is_closed(api: ApiServer) -> None:
    before = let_go("init")
    with bounded(api, replace(SMALL, init=0.05)), opened(api) as ws:
        assert closed(ws) == 4408
    assert let_go("init") == before + 1


def test_connections_have_a_bound_for_a_token_and_for_the_process(api: ApiServer) -> None:
    with opened(api, INIT) as first, opened(api, INIT) as second:
        assert [json.loads(ws.recv(TIMEOUT))["type"] for ws in (first, second)] == ["connection_ack"] * 2
        with opened(api, INIT) as third:
            assert closed(third) == 4429
        with opened(api) as third:
            with pytest.raises(InvalidStatus) as refused, opened(api):
                pass
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["retry-after"] == "10"
            stream = {"authorization": "Bearer crm_live_other", "accept": "text/event-stream"}
            url = f"http://127.0.0.1:{api.port}/graphql"
            answer = httpx.post(url, json=CHANGED, headers=stream, trust_env=False, timeout=TIMEOUT)
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (503, {"code": "TOO_MUCH"})
            third.close()
    while api.app.sockets.connections.open:
        assert api.thread.is_alive()
    with opened(api, INIT) as ws:
        assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}


def test_one_operation_too_many_is_refused_and_the_others_go_on(api: ApiServer) -> None:
    operations = [{"id": str(n), "type": "subscribe", "payload": CHANGED} for n in range(3)]
    with opened(api, INIT, *operations) as ws, psycopg.connect(api.dsn, autocommit=True) as connection:
        assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}
        refused = json.loads(ws.recv(TIMEOUT))
        assert (refused["id"], refused["type"], refused["payload"][0]["extensions"]) == (
            "2",
            "error",
            {"code": "TOO_MUCH"},
        )
        notify(connection, SHOP, "deal", id_of("deal 7"))
        assert {json.loads(ws.recv(TIMEOUT))["id"] for _ in range(2)} == {"0", "1"}
        ws.send(json.dumps({"id": "0", "type": "complete"}))
        ws.send(json.dumps({**operations[2], "payload": {"query": "{ deal(number: 7) { number } }"}}))
        messages = [json.loads(ws.recv(TIMEOUT)) for _ in range(2)]
    assert [t["type"] for t in messages] == ["next", "complete"]
    assert messages[0]["payload"]["data"] == {"deal": {"number": 7}}


def handshake(api: ApiServer, buffer: int | None = None) -> socket.socket:
    """A websocket by hand, which reads and answers nothing by itself."""
    raw = socket.socket()
    if buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.settimeout(TIMEOUT)
    raw.connect(("127.0.0.1", api.port))
    raw.sendall(
        b"GET /graphql HTTP/1.1\r\nhost: api\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw


def frame(message: dict[str, Any]) -> bytes:
    """A client's text frame, masked with zeros."""
    text = json.dumps(message).encode()
    return b"\x81" + bytes([0x80 | 126]) + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text


def rest(raw: socket.socket) -> bytes:
    read = b""
    while part := raw.recv(1 << 16):
        read += part
    return read


def test_a_half_open_socket_is_closed_after_an_unanswered_ping(fresh_database_url: str) -> None:
    with api_server(fresh_database_url, replace(SMALL, ping=0.1)) as api, handshake(api) as raw:
        assert b"keepalive ping timeout" in rest(raw)


def test_a_client_that_does_not_read_is_closed_with_a_hint_to_resume(api: ApiServer) -> None:
    """The close frame waits behind unread messages; a client that reads again in time finds it."""
    large = {f"field {n}": json.dumps("x" * 1_000) for n in range(100)}
    request = {"query": "subscription { dealChanged { cursor deal { fields } } }"}
    before = let_go("slow")
    with bounded(api, replace(SMALL, patience=3.0)), handshake(api, 4_096) as raw:
        raw.sendall(frame(INIT) + frame({"id": "1", "type": "subscribe", "payload": request}))
        while not api.changes.hub.subscribers:
            assert api.thread.is_alive()
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            insert(connection, SHOP, deal(7, fields=large))
            while let_go("slow") == before:
                notify(connection, SHOP, "deal", id_of("deal 7"))
        while api.changes.hub.subscribers:
            assert api.thread.is_alive()
        assert (4440).to_bytes(2, "big") + b"The client did not read in time" in rest(raw)


def test_an_idle_subscription_gets_its_current_cursor(fresh_database_url: str) -> None:
    """Else the cursor of a deal that rests for a month would be a month old."""
    with (
        api_server(fresh_database_url, replace(SMALL, ping=1.0)) as api,
        opened(
            api,
            INIT,
            {**SUBSCRIBE, "payload": {"query": f'subscription {{ dealChanged(id: "{id_of("deal 7")}") {{ id }} }}'}},
        ) as ws,
        psycopg.connect(api.dsn, autocommit=True) as connection,
    ):
        assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}
        first = json.loads(ws.recv(TIMEOUT))
        notify(connection, SHOP, "deal", id_of("deal 8"))
        later = json.loads(ws.recv(TIMEOUT))
        while later == first:
            later = json.loads(ws.recv(TIMEOUT))
    assert (later["type"], list(later["payload"]["cursors"])) == ("ping", ["1"])
