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
from api.http.connections import BoundedHttpProtocol
from api.http.sockets import server_config
from api.live.changes import Changes
from api.live.subscriptions.limits import LIMITS, Limits
from api.sql.database import pool
from crm.adapters.postgres.migrations import migrate
from crm.adapters.telemetry.health import ServerWithoutSignals
from projections import PROJECTIONS
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, SHOP_ROWS, contact, delete_rows, insert
from tests.support.timeouts import TIMEOUT

PROTOCOL = Subprotocol("graphql-transport-ws")


class FakeToken(msgspec.Struct, frozen=True):
    """A token of the test."""

    workspace: str
    scopes: tuple[str, ...] = ("read",)
    id: str = "key"


class FakeTokens:
    """Tokens in a dict."""

    def __init__(self) -> None:
        self.known = {
            "crm_live_shop": FakeToken(SHOP),
            "crm_live_other": FakeToken(OTHER),
            "crm_live_w": FakeToken(SHOP, ("write",)),
        }

    def token(self, text: str) -> FakeToken | None:
        return self.known.get(text)

    def role(self, text: str) -> None:
        return None


class ApiServer:
    """The API on a free port, in a thread with its own loop."""

    def __init__(self, dsn: str, http: type[Any] = BoundedHttpProtocol, bounds: Limits = LIMITS) -> None:
        self.dsn, self.keys, self.changes, self.bounds = dsn, FakeTokens(), Changes(dsn), bounds
        self.http = http
        self.started, self.client = threading.Event(), httpx.Client(trust_env=False, timeout=TIMEOUT)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))

    async def serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        rows, listening = pool(self.dsn), asyncio.create_task(self.changes.run())
        self.app = app = App(rows, self.keys, self.changes, lambda: None, max_body=10_000, limits=self.bounds)
        self.server = ServerWithoutSignals(server_config(app, self.bounds, port=0, http=self.http))
        rows.patience = TIMEOUT
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
    def websocket(self, token: str = "crm_live_shop") -> Iterator[ClientConnection]:
        """A websocket that may subscribe."""
        with connect(
            f"ws://127.0.0.1:{self.port}/graphql", subprotocols=[PROTOCOL], proxy=None, open_timeout=TIMEOUT
        ) as ws:
            ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}
            yield ws

    @contextmanager
    def subscribed(self, query: str, token: str = "crm_live_shop") -> Iterator[ClientConnection]:
        with self.websocket(token) as ws:
            ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            while not self.changes.hub.subscribers:
                self.goes_on()
            yield ws

    def goes_on(self) -> None:
        """Leaves the processor to the server for a moment. Raises AssertionError when it has ended."""
        self.thread.join(0.005)
        assert self.thread.is_alive()


@contextmanager
def api_server(dsn: str, bounds: Limits = LIMITS, http: type[Any] = BoundedHttpProtocol) -> Iterator[ApiServer]:
    migrate(dsn, PROJECTIONS.values())
    with psycopg.connect(dsn, autocommit=True) as connection:
        delete_rows(connection)
        insert(connection, SHOP, *SHOP_ROWS)
        insert(connection, OTHER, contact("Olena", phones=(OLENA_PHONE,)))
    api = ApiServer(dsn, http, bounds)
    api.thread.start()
    assert api.started.wait(TIMEOUT)
    try:
        yield api
    finally:
        api.client.close()
        api.loop.call_soon_threadsafe(api.server.end)
        api.thread.join(TIMEOUT)
