"""The API on real read models: a server in a thread, a client, and a database with a small shop in it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import psycopg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from api.app import App
from api.http.connections import Impatient
from api.http.sockets import configuration
from api.live.changes import Changes
from api.live.subscriptions.limits import BOUNDS, Bounds
from api.sql.database import pool
from crm.adapters.postgres.migrations import migrate
from crm.adapters.telemetry.health import Quiet
from projections import PROJECTIONS
from tests.support.patience import PATIENCE
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, SHOPS_ROWS, contact, empty, insert

PROTOCOL = Subprotocol("graphql-transport-ws")


class Key(msgspec.Struct, frozen=True):
    """A token of the test."""

    workspace: str
    scopes: tuple[str, ...] = ("read",)
    id: str = "key"


class Keys:
    """Tokens in a dict."""

    def __init__(self) -> None:
        self.known = {"crm_live_shop": Key(SHOP), "crm_live_other": Key(OTHER), "crm_live_w": Key(SHOP, ("write",))}

    def token(self, text: str) -> Key | None:
        return self.known.get(text)


class Api:
    """The API on a free port, in a thread with its own loop."""

    def __init__(self, dsn: str, http: type[Any] = Impatient, bounds: Bounds = BOUNDS) -> None:
        self.dsn, self.keys, self.changes, self.bounds = dsn, Keys(), Changes(dsn), bounds
        self.http = http
        self.started, self.client = threading.Event(), httpx.Client(trust_env=False, timeout=PATIENCE)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))

    async def serve(self) -> None:
        rows, listening = pool(self.dsn), asyncio.create_task(self.changes.run())
        self.app = app = App(rows, self.keys, self.changes, lambda: None, max_body=10_000, bounds=self.bounds)
        self.server = Quiet(configuration(app, self.bounds, port=0, http=self.http))
        rows.patience = PATIENCE
        await rows.open()
        await self.changes.listening.wait()
        serving = asyncio.create_task(self.server.serve())
        while not self.server.started:
            await asyncio.wait([serving], timeout=0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.started.set()
        await serving
        listening.cancel()
        await asyncio.wait([listening])
        await rows.close()

    def post(self, body: dict[str, Any], token: str = "crm_live_shop") -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return self.client.post(f"http://127.0.0.1:{self.port}/graphql", json=body, headers=headers)

    def answer(self, query: str, token: str = "crm_live_shop", **variables: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.post({"query": query, "variables": variables}, token).json()
        return answer

    def data(self, query: str, token: str = "crm_live_shop", **variables: Any) -> Any:
        answer = self.answer(query, token, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def error(self, query: str, **variables: Any) -> tuple[str, str]:
        (error,) = self.answer(query, **variables)["errors"]
        return error["extensions"]["code"], error["message"]

    @contextmanager
    def speaking(self, token: str = "crm_live_shop") -> Iterator[ClientConnection]:
        """A websocket that may subscribe."""
        with connect(
            f"ws://127.0.0.1:{self.port}/graphql", subprotocols=[PROTOCOL], proxy=None, open_timeout=PATIENCE
        ) as ws:
            ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            assert json.loads(ws.recv(PATIENCE)) == {"type": "connection_ack"}
            yield ws

    @contextmanager
    def subscribed(self, query: str, token: str = "crm_live_shop") -> Iterator[ClientConnection]:
        with self.speaking(token) as ws:
            ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            while not self.changes.hub.subscribers:
                assert self.thread.is_alive()
            yield ws


@contextmanager
def served(dsn: str, bounds: Bounds = BOUNDS, http: type[Any] = Impatient) -> Iterator[Api]:
    migrate(dsn, PROJECTIONS.values())
    with psycopg.connect(dsn, autocommit=True) as connection:
        empty(connection)
        insert(connection, SHOP, *SHOPS_ROWS)
        insert(connection, OTHER, contact("Olena", phones=(OLENA_PHONE,)))
    api = Api(dsn, http, bounds)
    api.thread.start()
    assert api.started.wait(PATIENCE)
    try:
        yield api
    finally:
        api.client.close()
        api.server.should_exit = True
        api.thread.join(PATIENCE)
