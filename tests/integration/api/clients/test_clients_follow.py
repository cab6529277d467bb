"""The clients of api/clients resume by themselves: with the last cursor after every cut, and not with a wrong token."""

import asyncio
import importlib.util
import json
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.tools import MODULES, NODE, ROOT

CLIENTS = ROOT / "api" / "clients"
PROTOCOL = Subprotocol("graphql-transport-ws")
QUERY = "subscription ($after: String) { dealChanged(after: $after) { cursor deal { number } } }"
SCRIPT = """
import { follow } from "./potik.ts";
const { GRAPHQL: url = "" } = process.env;
try {
  for await (const { dealChanged } of follow({ url, token: "t" }, QUERY, {})) console.log(dealChanged.deal.number);
} catch (error) { console.log(`${error.code}: ${error.message}`); }
"""
Step = int | str  # a change, named like its cursor; the cursor of a ping; "cut", "away", "slow" or "refused"
SLOW = [{"message": "More than 10000 changed rows are waiting.", "extensions": {"code": "SLOW_SUBSCRIBER"}}]
CUTS = {"cut": (1011, "a fault"), "away": (1001, "a deployment"), "refused": (4403, "The token is not valid.")}


@dataclass
class ServerError(Exception):
    """As the generated client has it."""

    message: str
    extensions: dict[str, Any]


@dataclass
class ServerErrors(Exception):
    errors: list[ServerError]


class StandInServer:
    """Speaks graphql-transport-ws: plays `connections` one after the other, and notes the cursors that it was sent."""

    def __init__(self, *connections: Sequence[Step]) -> None:
        self.connections, self.after = list(connections), list[str | None]()
        self.server: Server = serve(self.play, "127.0.0.1", 0, subprotocols=[PROTOCOL])
        self.url = f"http://127.0.0.1:{self.server.socket.getsockname()[1]}/graphql"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def play(self, ws: ServerConnection) -> None:
        assert json.loads(ws.recv())["type"] == "connection_init"
        steps = self.connections.pop(0)
        if steps == ["refused"]:
            return ws.close(*CUTS["refused"])
        ws.send('{"type":"connection_ack"}')
        subscribe = json.loads(ws.recv())
        self.after.append(subscribe["payload"]["variables"].get("after"))
        for step in steps:
            if isinstance(step, int):
                data = {"dealChanged": {"cursor": f"c{step}", "deal": {"number": step}}}
                ws.send(json.dumps({"id": subscribe["id"], "type": "next", "payload": {"data": data}}))
            elif step == "slow":
                ws.send(json.dumps({"id": subscribe["id"], "type": "error", "payload": SLOW}))
            elif step in CUTS:
                return ws.close(*CUTS[step])
            else:
                ws.send(json.dumps({"type": "ping", "payload": {"cursors": {subscribe["id"]: step}}}))
        ws.recv()  # until the client goes


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[StandInServer]:
    server = StandInServer(*request.param)
    server.thread.start()
    yield server
    server.server.shutdown()
    server.thread.join()


async def subscribe(url: str, after: str | None) -> AsyncIterator[Any]:
    """Does what the generated client does."""
    async with connect(url.replace("http", "ws"), subprotocols=[PROTOCOL], proxy=None) as ws:
        await ws.send('{"type":"connection_init"}')
        await ws.recv()
        payload = {"query": QUERY, "variables": {"after": after}}
        await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        async for message in ws:
            found = json.loads(message)
            if found["type"] == "error":
                raise ServerErrors([ServerError(**error) for error in found["payload"]])
            yield found["payload"]["data"]["dealChanged"]


def python_follow(url: str) -> Any:
    spec = importlib.util.spec_from_file_location("follow", CLIENTS / "python" / "follow.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.follow(lambda after: subscribe(url, after), lambda change: change["cursor"])


def node(folder: Path, url: str) -> "subprocess.Popen[str]":
    (folder / "potik.ts").write_text((CLIENTS / "typescript" / "potik.ts").read_text())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "run.ts").write_text(SCRIPT.replace("QUERY", json.dumps(QUERY)))
    environment = {**os.environ, "GRAPHQL": url}
    return subprocess.Popen([str(NODE), "run.ts"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


CUT = ([1, 2, "cut"], ["away"], ["slow"], [3])


@pytest.mark.parametrize("server", [CUT], indirect=True)
def test_python_resumes_behind_the_last_change(server: StandInServer) -> None:
    async def run() -> list[int]:
        changes = python_follow(server.url)
        found = [(await anext(changes))["deal"]["number"] for _ in range(3)]
        await changes.aclose()
        return found

    assert asyncio.run(run()) == [1, 2, 3]
    assert server.after == [None, "c2", "c2", "c2"]


@pytest.mark.parametrize("server", [(["refused"],)], indirect=True)
def test_python_does_not_try_again_with_a_wrong_token(server: StandInServer) -> None:
    async def run() -> None:
        with pytest.raises(ConnectionClosed) as closed:
            await anext(python_follow(server.url))
        assert closed.value.rcvd and closed.value.rcvd.code == 4403

    asyncio.run(run())
    assert server.connections == []


@pytest.mark.parametrize("server", [([1, 2, "cut"], ["away"], ["slow"], ["c7", "cut"], [8])], indirect=True)
def test_typescript_resumes_behind_the_last_change_or_ping(server: StandInServer, tmp_path: Path) -> None:
    with node(tmp_path, server.url) as running:
        assert running.stdout
        found = [running.stdout.readline() for _ in range(3)]
        running.terminate()
    assert found == ["1\n", "2\n", "8\n"]
    assert server.after == [None, "c2", "c2", "c2", "c7"]


@pytest.mark.parametrize("server", [(["refused"],)], indirect=True)
def test_typescript_does_not_try_again_with_a_wrong_token(server: StandInServer, tmp_path: Path) -> None:
    with node(tmp_path, server.url) as running:
        assert running.stdout
        assert running.stdout.read() == "UNAUTHORIZED: The token is not valid.\n"
    assert server.connections == []
