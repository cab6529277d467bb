"""The API's websockets: which connections are accepted, and the server's listening socket."""

import resource
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from api.context import Context
from api.errors import TooMuch
from api.http.refusal import Header
from api.live.subscriptions.keepalive import Keepalive
from api.live.subscriptions.limits import ConnectionLimits, Limits
from api.live.subscriptions.operation import Operations
from api.live.subscriptions.socket import Message, Receive, Send, Socket
from crm.adapters.cors import NO_ORIGINS, Origins

PROTOCOL = "graphql-transport-ws"
UNREAD = 60_000  # milliseconds after which Linux drops a connection whose peer acknowledges nothing
BACKLOG = 4096
FOREIGN = "Pages of this origin may not subscribe. Add the origin to CRM_CORS_ORIGINS and restart the API."


class Sockets:
    """An ASGI application. `context` makes a context from the value of an Authorization header."""

    def __init__(
        self,
        operations: Operations,
        connections: ConnectionLimits,
        keepalive: Keepalive,
        context: Callable[[str], Context],
        origins: Origins = NO_ORIGINS,
    ) -> None:
        self.operations, self.connections, self.keepalive, self.context = operations, connections, keepalive, context
        self.origins = origins

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        if scope["path"] != "/graphql":
            return await send({"type": "websocket.close", "code": 1008})
        headers = dict(scope["headers"])
        if not self.origins.permit_websocket(headers):
            return await refuse(send, 403, FOREIGN)
        try:
            self.connections.enter("websocket")
        except TooMuch as error:
            return await refuse(send, 503, error.message, (b"retry-after", b"10"))
        try:
            if PROTOCOL not in scope["subprotocols"]:
                await send({"type": "websocket.accept"})
                return await send({"type": "websocket.close", "code": 4406, "reason": f"Subprotocol is {PROTOCOL}"})
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            given = headers.get(b"authorization", b"").decode("latin-1")
            served = Socket(self.context(given), self.operations, self.connections, receive, send)
            self.keepalive.add(served)
            try:
                await served.serve()
            finally:
                self.keepalive.remove(served)
        finally:
            self.connections.leave("websocket")


async def refuse(send: Send, status: int, why: str, *more: Header) -> None:
    headers = [(b"content-type", b"text/plain"), *more]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": f"{why}\n".encode()})


def open_listener(host: str, port: int) -> socket.socket:
    """Opens the server's socket, for many connections. Linux drops a connection whose peer has vanished."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
    return listener


def server_config(app: Any, limits: Limits, **more: Any) -> uvicorn.Config:
    """Returns the server's configuration: it pings each websocket and closes those that do not answer."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,  # it needs more memory per connection than everything else
        ws_ping_interval=limits.ping,
        ws_ping_timeout=limits.ping,
        **more,
    )


def raise_open_file_limit() -> int:
    """Raises the limit of open files to the hard limit, and returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
