"""The simulated vendors of the demo: they take what the role outbound sends for the demo workspace, and nobody else's.

The stack chooses a port for them; they answer there while `crm demo` runs.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from crm.adapters.telemetry.health import ServerWithoutSignals
from crm.scalars import Id
from services.connectors.rehearsal import rehearsals
from services.stack import demo_workspace

WEBHOOK = "/webhook"  # where webhooks are received
DATA, PORT = "CRM_DEMO_DATA", "demo"  # the stack's folder, and the name of the port in its ports.json


class SimulatedVendors:
    """What was sent, each with its chat; and a receiver of webhooks, which answers 500 while it is `down`."""

    def __init__(self, port: int = 0) -> None:
        self.taken: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.webhook, self.down = f"http://127.0.0.1:{port}{WEBHOOK}", False
        self.delivered: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()  # headers and body
        self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", scope["type"] == "http"
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if scope["path"] == WEBHOOK:
            return await answer_with(send, self.receive(scope, body), b"")
        takes = (vendor.take for vendor in rehearsals().values() if vendor.take)
        found = next((taken for take in takes if (taken := take(scope["path"], body))), None)
        status, answer = (200, found[0]) if found else (404, b"{}")
        if found:
            self.taken.put_nowait(found[1])
        await answer_with(send, status, answer)

    def receive(self, scope: Any, body: bytes) -> int:
        """Takes a delivery of a webhook. Returns the status."""
        if self.down:
            self.refused += 1
            return 500
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.delivered.put_nowait((headers, body))
        return 200


async def answer_with(send: Any, status: int, answer: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@contextlib.asynccontextmanager
async def simulated_vendors(data: Path | None) -> AsyncIterator[SimulatedVendors | None]:
    """Yields the vendors of the stack on a data folder; None for a stack that has no place for them."""
    port = port_of(data) if data else 0
    vendors = SimulatedVendors(port)
    if not port:
        yield None
        return
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(vendors, lifespan="off", access_log=False, log_config=None)
        server = ServerWithoutSignals(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield vendors
        finally:
            server.end()
            await serving


def port_of(data: Path) -> int:
    try:
        ports = msgspec.json.decode((data / "ports.json").read_bytes(), type=dict[str, tuple[int, int]])
    except (OSError, msgspec.DecodeError):
        return 0
    return ports.get(PORT, (0, 0))[1]


def stands_in(workspace: Id, environment: Mapping[str, str] = os.environ) -> str:
    """Returns where the vendors of a workspace are asked in place of their own addresses; empty for all but the
    demo's."""
    if not (folder := environment.get(DATA, "")):
        return ""
    known = demo_workspace.read(Path(folder))
    ours = known is not None and known.workspace == workspace
    return f"http://127.0.0.1:{port_of(Path(folder))}" if ours else ""
