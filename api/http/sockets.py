"""The websockets of the API: who may open one, and the socket on which the server listens for all."""

import resource
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from api.context import Context
from api.errors import TooMuch
from api.live.subscriptions.keepalive import Pulse
from api.live.subscriptions.limits import Bounds, Doors
from api.live.subscriptions.operation import Operations
from api.live.subscriptions.socket import Message, Receive, Send, Socket

PROTOCOL = "graphql-transport-ws"
UNREAD = 60_000  # milliseconds after which Linux drops a connection whose other side takes nothing
BACKLOG = 4096


class Sockets:
    """An ASGI application. `context` makes a context of the value of an Authorization header."""

    def __init__(self, operations: Operations, doors: Doors, pulse: Pulse, context: Callable[[str], Context]) -> None:
        self.operations, self.doors, self.pulse, self.context = operations, doors, pulse, context

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        if scope["path"] != "/graphql":
            return await send({"type": "websocket.close", "code": 1008})
        try:
            self.doors.enter("websocket")
        except TooMuch as error:
            return await busy(send, error.message)
        try:
            if PROTOCOL not in scope["subprotocols"]:
                await send({"type": "websocket.accept"})
                return await send({"type": "websocket.close", "code": 4406, "reason": f"Subprotocol is {PROTOCOL}"})
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            served = Socket(self.context(given), self.operations, self.doors, receive, send)
            self.pulse.add(served)
            try:
                await served.serve()
            finally:
                self.pulse.remove(served)
        finally:
            self.doors.leave("websocket")


async def busy(send: Send, why: str) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"10")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": f"{why}\n".encode()})


def listening(host: str, port: int) -> socket.socket:
    """For many connections; one whose other side has vanished is dropped by Linux."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
    return listener


def configuration(app: Any, bounds: Bounds, **more: Any) -> uvicorn.Config:
    """Of the server. It pings each websocket and closes those that do not answer."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=bounds.message_bytes,
        ws_per_message_deflate=False,  # its memory for each connection is more than all else
        ws_ping_interval=bounds.ping,
        ws_ping_timeout=bounds.ping,
        **more,
    )


def many_files() -> int:
    """As many open files as this process may have; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
