"""The clients of api/clients follow deals across cut connections: every change once, in both languages."""

import asyncio
import importlib.util
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.live.subscriptions.socket import SocketClosed
from tests.support.change_notices import notify
from tests.support.graphql_server import PROTOCOL, ApiServer, api_server
from tests.support.shop_rows import SHOP, id_of
from tests.support.tools import MODULES, NODE, ROOT

CLIENTS = ROOT / "api" / "clients"
QUERY = "subscription ($after: String) { dealChanged(after: $after) { cursor deal { number } } }"
SCRIPT = """
import { follow } from "./potik.ts";
const { GRAPHQL: url = "", TOKEN: token = "" } = process.env;
try {
  for await (const { dealChanged } of follow({ url, token }, QUERY, {})) console.log(dealChanged.deal.number);
} catch (error) { console.log(`${error.code}: ${error.message}`); process.exit(1); }
"""


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


def cut(api: ApiServer, code: int = 1011) -> None:
    """Closes every websocket, as a deployment or a lost network does."""
    before = subscribers(api)
    for socket in list(api.app.sockets.keepalive.members):
        api.loop.call_soon_threadsafe(socket.end, SocketClosed(code, "cut"))
    while before & subscribers(api):
        api.goes_on()


def subscribers(api: ApiServer) -> set[Any]:
    return {subscriber for some in list(api.changes.hub.subscribers.values()) for subscriber in tuple(some)}


def until_subscribed(api: ApiServer) -> None:
    while not api.changes.hub.subscribers:
        api.goes_on()


async def subscribe(api: ApiServer, after: str | None, token: str = "crm_live_shop") -> AsyncIterator[Any]:
    """Does what the generated client does."""
    async with connect(f"ws://127.0.0.1:{api.port}/graphql", subprotocols=[PROTOCOL], proxy=None) as ws:
        await ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        payload = {"query": QUERY, "variables": {"after": after}}
        await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        async for message in ws:
            found = json.loads(message)
            if found["type"] == "next":
                yield found["payload"]["data"]["dealChanged"]


def python_follow() -> Any:
    spec = importlib.util.spec_from_file_location("follow", CLIENTS / "python" / "follow.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.follow


def test_python_resumes_behind_the_last_change(api: ApiServer) -> None:
    async def run() -> list[int]:
        changes = python_follow()(lambda after: subscribe(api, after), lambda change: change["cursor"])
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            first = asyncio.create_task(anext(changes))
            await asyncio.to_thread(until_subscribed, api)
            notify(connection, SHOP, "deal", id_of("deal 7"))
            found = [(await first)["deal"]["number"]]
            await asyncio.to_thread(cut, api)
            notify(connection, SHOP, "deal", id_of("deal 8"))  # while nobody listens
            found.append((await anext(changes))["deal"]["number"])
            notify(connection, SHOP, "deal", id_of("deal 9"))
            found.append((await anext(changes))["deal"]["number"])
        await changes.aclose()
        return found

    assert asyncio.run(run()) == [7, 8, 9]


def test_python_does_not_try_again_with_a_wrong_token(api: ApiServer) -> None:
    async def run() -> None:
        changes = python_follow()(lambda after: subscribe(api, after, "crm_live_nobody"), lambda change: "")
        with pytest.raises(ConnectionClosed) as closed:
            await anext(changes)
        assert closed.value.rcvd and closed.value.rcvd.code == 4403

    asyncio.run(run())


def node(api: ApiServer, folder: Any, token: str) -> "subprocess.Popen[str]":
    (folder / "potik.ts").write_text((CLIENTS / "typescript" / "potik.ts").read_text())
    (folder / "package.json").write_text('{"type": "module"}')
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(MODULES)
    (folder / "run.ts").write_text(SCRIPT.replace("QUERY", json.dumps(QUERY)))
    environment = {**os.environ, "GRAPHQL": f"http://127.0.0.1:{api.port}/graphql", "TOKEN": token}
    command = [str(NODE), "run.ts"]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_typescript_resumes_behind_the_last_change(api: ApiServer, tmp_path: Any) -> None:
    with node(api, tmp_path, "crm_live_shop") as running, psycopg.connect(api.dsn, autocommit=True) as connection:
        assert running.stdout and running.stderr
        while not api.changes.hub.subscribers:
            assert running.poll() is None, running.stderr.read()
        notify(connection, SHOP, "deal", id_of("deal 7"))
        found = [running.stdout.readline()]
        cut(api)
        notify(connection, SHOP, "deal", id_of("deal 8"))
        found.append(running.stdout.readline())
        cut(api, 1001)
        notify(connection, SHOP, "deal", id_of("deal 9"))
        found.append(running.stdout.readline())
        running.terminate()
    assert found == ["7\n", "8\n", "9\n"]


def test_typescript_does_not_try_again_with_a_wrong_token(api: ApiServer, tmp_path: Any) -> None:
    with node(api, tmp_path, "crm_live_nobody") as running:
        assert running.stdout
        assert running.stdout.read().startswith("UNAUTHORIZED: ")
        assert running.wait() == 1
