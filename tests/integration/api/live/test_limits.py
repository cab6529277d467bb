"""What one client may take of websockets and event streams, on real sockets: each bound ends with its code."""

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

from api.live.subscriptions.limits import BOUNDS, Bounds
from tests.support.change_notices import notify
from tests.support.graphql_server import PROTOCOL, Api, served
from tests.support.patience import PATIENCE
from tests.support.shop_rows import SHOP, deal, id_of, insert

SMALL = replace(BOUNDS, connections=3, of_token=2, operations=2, message_bytes=2_000, burst=20, messages=0.001)
INIT = {"type": "connection_init", "payload": {"authorization": "Bearer crm_live_shop"}}
CHANGED = {"query": "subscription { dealChanged { id } }"}


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url, SMALL) as api:
        yield api


@contextmanager
def bounded(api: Api, bounds: Bounds) -> Iterator[None]:
    """The application looks at these from its next connection on."""
    doors = api.app.sockets.doors
    doors.bounds = bounds
    try:
        yield
    finally:
        doors.bounds = SMALL


@contextmanager
def opened(api: Api, *said: dict[str, Any], **more: Any) -> Iterator[ClientConnection]:
    address = f"ws://127.0.0.1:{api.port}/graphql"
    with connect(address, **{"subprotocols": [PROTOCOL], "proxy": None, "open_timeout": PATIENCE, **more}) as ws:
        for message in said:
            ws.send(json.dumps(message))
        yield ws


def closed(ws: ClientConnection) -> int:
    """With which code the server closes it."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            ws.recv(PATIENCE)
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
def test_what_breaks_the_protocol_or_a_bound_is_closed_with_its_code(api: Api, said: list[Any], code: int) -> None:
    with opened(api) as ws:
        with contextlib.suppress(ConnectionClosed):  # the last ones may find it closed already
            for message in said:
                ws.send(message)
        assert closed(ws) == code
    assert api.changes.hub.subscribers == {}


def test_another_protocol_is_closed_and_another_path_refused(api: Api) -> None:
    with opened(api, subprotocols=None) as ws:
        assert closed(ws) == 4406
    with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{api.port}/other", proxy=None, open_timeout=PATIENCE):
        pass


def test_who_says_nothing_is_closed(api: Api) -> None:
    before = let_go("init")
    with bounded(api, replace(SMALL, init=0.05)), opened(api) as ws:
        assert closed(ws) == 4408
    assert let_go("init") == before + 1


def test_connections_have_a_bound_for_a_token_and_for_the_process(api: Api) -> None:
    with opened(api, INIT) as first, opened(api, INIT) as second:
        assert [json.loads(ws.recv(PATIENCE))["type"] for ws in (first, second)] == ["connection_ack"] * 2
        with opened(api, INIT) as third:
            assert closed(third) == 4429
        with opened(api) as third:
            with pytest.raises(InvalidStatus) as refused, opened(api):
                pass
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["retry-after"] == "10"
            stream = {"authorization": "Bearer crm_live_other", "accept": "text/event-stream"}
            url = f"http://127.0.0.1:{api.port}/graphql"
            answer = httpx.post(url, json=CHANGED, headers=stream, trust_env=False, timeout=PATIENCE)
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (503, {"code": "TOO_MUCH"})
            third.close()
    while api.app.sockets.doors.open:
        assert api.thread.is_alive()
    with opened(api, INIT) as ws:
        assert json.loads(ws.recv(PATIENCE)) == {"type": "connection_ack"}


def test_one_operation_too_many_is_refused_and_the_others_go_on(api: Api) -> None:
    operations = [{"id": str(n), "type": "subscribe", "payload": CHANGED} for n in range(3)]
    with opened(api, INIT, *operations) as ws, psycopg.connect(api.dsn, autocommit=True) as connection:
        assert json.loads(ws.recv(PATIENCE)) == {"type": "connection_ack"}
        refused = json.loads(ws.recv(PATIENCE))
        assert (refused["id"], refused["type"], refused["payload"][0]["extensions"]) == (
            "2",
            "error",
            {"code": "TOO_MUCH"},
        )
        notify(connection, SHOP, "deal", id_of("deal 7"))
        assert {json.loads(ws.recv(PATIENCE))["id"] for _ in range(2)} == {"0", "1"}
        ws.send(json.dumps({"id": "0", "type": "complete"}))
        ws.send(json.dumps({**operations[2], "payload": {"query": "{ deal(number: 7) { number } }"}}))
        told = [json.loads(ws.recv(PATIENCE)) for _ in range(2)]
    assert [t["type"] for t in told] == ["next", "complete"]
    assert told[0]["payload"]["data"] == {"deal": {"number": 7}}


def handshake(api: Api, buffer: int | None = None) -> socket.socket:
    """A websocket by hand, which reads and answers nothing by itself."""
    raw = socket.socket()
    if buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.settimeout(PATIENCE)
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


def test_a_half_open_socket_is_found_by_a_ping_that_nobody_answers(fresh_database_url: str) -> None:
    with served(fresh_database_url, replace(SMALL, ping=0.1)) as api, handshake(api) as raw:
        assert b"keepalive ping timeout" in rest(raw)


def test_who_does_not_read_is_let_go_and_told_to_resume(api: Api) -> None:
    """The close frame stands behind what the client has not read; whoever reads again in time finds it."""
    large = {f"field {n}": json.dumps("x" * 1_000) for n in range(100)}
    asked = {"query": "subscription { dealChanged { cursor deal { fields } } }"}
    before = let_go("slow")
    with bounded(api, replace(SMALL, patience=3.0)), handshake(api, 4_096) as raw:
        raw.sendall(frame(INIT) + frame({"id": "1", "type": "subscribe", "payload": asked}))
        while not api.changes.hub.subscribers:
            assert api.thread.is_alive()
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            insert(connection, SHOP, deal(7, fields=large))
            while let_go("slow") == before:
                notify(connection, SHOP, "deal", id_of("deal 7"))
        while api.changes.hub.subscribers:
            assert api.thread.is_alive()
        assert (4440).to_bytes(2, "big") + b"You did not read for too long" in rest(raw)


def test_a_quiet_subscription_is_told_its_cursor_of_now(fresh_database_url: str) -> None:
    """Else the cursor of a deal that rests for a month would be a month old."""
    with (
        served(fresh_database_url, replace(SMALL, ping=1.0)) as api,
        opened(
            api,
            INIT,
            {**SUBSCRIBE, "payload": {"query": f'subscription {{ dealChanged(id: "{id_of("deal 7")}") {{ id }} }}'}},
        ) as ws,
        psycopg.connect(api.dsn, autocommit=True) as connection,
    ):
        assert json.loads(ws.recv(PATIENCE)) == {"type": "connection_ack"}
        first = json.loads(ws.recv(PATIENCE))
        notify(connection, SHOP, "deal", id_of("deal 8"))
        later = json.loads(ws.recv(PATIENCE))
        while later == first:
            later = json.loads(ws.recv(PATIENCE))
    assert (later["type"], list(later["payload"]["cursors"])) == ("ping", ["1"])
