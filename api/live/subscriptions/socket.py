"""One websocket with the protocol graphql-transport-ws (github.com/enisdenjo/graphql-ws)."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from api.context import Context
from api.errors import ApiError, TooMuch, Unauthorized
from api.http.numbers import ENCODER, Number
from api.http.request import GraphQLRequest
from api.live.subscriptions.limits import ConnectionLimits, Rate
from api.live.subscriptions.operation import OperationRefused, Operations
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.running import RunningOperation
from crm.adapters.telemetry.metrics import LET_GO

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
log = structlog.get_logger()


class ClientMessage(msgspec.Struct, gc=False):
    """A message from a client."""

    type: str
    id: str = ""
    payload: Any = None


class SocketClosed(Exception):
    """Closes the connection with this code and reason."""

    def __init__(self, code: int, reason: str, limit: str = "") -> None:
        self.code, self.reason = code, reason
        if limit:
            LET_GO.labels(limit).inc()


SLOW = SocketClosed(4440, "The client did not read in time. Subscribe again with your last cursor.")
read = msgspec.json.Decoder(ClientMessage, float_hook=Number).decode


class Socket:
    """One websocket, from its acceptance to its close."""

    def __init__(
        self, context: Context, operations: Operations, connections: ConnectionLimits, receive: Receive, send: Send
    ) -> None:
        self.context, self.operations, self.connections = context, operations, connections
        self.receive, self.raw, self.limits = receive, send, connections.limits
        self.outbox = Outbox(self.send, self.limits.patience, self.on_drained, lambda: self.end(SLOW))
        self.running: dict[str, RunningOperation] = {}
        self.task = asyncio.current_task()
        self.ending: SocketClosed | None = None
        self.token = ""

    async def send(self, text: bytes) -> None:
        await self.raw({"type": "websocket.send", "text": text.decode()})

    async def serve(self) -> None:
        """Serves until either side closes the connection."""
        try:
            if await self.init():
                rate = Rate(self.limits)
                while (message := await self.receive_message(rate)) is not None:
                    await self.take(message)
        except SocketClosed as closed:
            self.ending = closed
        except asyncio.CancelledError:
            if self.ending is None or self.task is None:
                raise
            self.task.uncancel()
        finally:
            for running in list(self.running.values()):
                running.close()
            if self.token:
                self.connections.leave_token(self.token)
        if self.ending:
            await self.close(self.ending)

    async def close(self, closed: SocketClosed) -> None:
        """Sends the close frame, which waits behind unread messages."""
        self.outbox.close()
        try:
            async with asyncio.timeout(self.limits.patience):
                await self.raw({"type": "websocket.close", "code": closed.code, "reason": closed.reason})
        except Exception:
            log.debug("a websocket was gone before it was closed", code=closed.code)

    def end(self, closed: SocketClosed) -> None:
        """Closes the connection from outside of its task."""
        if self.ending is None and self.task:
            self.ending = closed
            self.task.cancel()

    async def init(self) -> bool:
        """Waits for connection_init. Returns False when the client disconnects first. Raises SocketClosed."""
        try:
            async with asyncio.timeout(self.limits.init):
                message = await self.receive_message()
        except TimeoutError:
            raise SocketClosed(4408, "Connection initialisation timeout", "init") from None
        if message is None:
            return False
        if message.type == "subscribe":
            raise SocketClosed(4401, "Unauthorized")
        if message.type != "connection_init":
            raise SocketClosed(4400, f"{message.type[:40]} before connection_init")
        given = message.payload if isinstance(message.payload, dict) else {}
        self.context.authorization = str(
            given.get("authorization") or given.get("Authorization") or self.context.authorization
        )
        try:
            _ = self.context.token
            self.connections.enter_token(self.context.authorization)
            self.token = self.context.authorization
        except Unauthorized as error:
            raise SocketClosed(4403, error.message[:120]) from None
        except TooMuch as error:
            raise SocketClosed(4429, error.message[:120]) from None
        self.outbox.put(b'{"type":"connection_ack"}')
        return True

    async def receive_message(self, rate: Rate | None = None) -> ClientMessage | None:
        """Returns the next message, or None when the client has disconnected. Raises SocketClosed."""
        frame = await self.receive()
        if frame["type"] == "websocket.disconnect":
            return None
        if rate and not rate.allows():
            raise SocketClosed(4441, f"More than {self.limits.messages:.0f} messages a second. Send fewer.", "messages")
        text = frame.get("text")
        if text is None:
            raise SocketClosed(4400, "Messages are text, not binary")
        try:
            return read(text)
        except msgspec.DecodeError:
            raise SocketClosed(4400, "This is not a message of graphql-transport-ws") from None

    async def take(self, message: ClientMessage) -> None:
        match message.type:
            case "ping":
                if not self.outbox.busy:
                    self.outbox.put(b'{"type":"pong"}')
            case "pong":
                pass
            case "subscribe":
                await self.subscribe(message)
            case "complete":
                if running := self.running.pop(message.id, None):
                    running.close()
            case "connection_init":
                raise SocketClosed(4429, "Too many initialisation requests")
            case _:
                raise SocketClosed(4400, f"There is no message {message.type[:40]}")

    async def subscribe(self, message: ClientMessage) -> None:
        if not message.id:
            raise SocketClosed(4400, "subscribe needs an id")
        if message.id in self.running:
            raise SocketClosed(4409, f"Subscriber for {message.id[:80]} already exists")
        try:
            request = msgspec.convert(message.payload, GraphQLRequest)
        except msgspec.ValidationError as error:
            raise SocketClosed(4400, f"subscribe: {error}"[:120]) from None
        running = RunningOperation(self, message.id)
        if len(self.running) >= self.limits.operations:
            LET_GO.labels("operations").inc()
            count = len(self.running)
            return running.refuse(TooMuch(f"{count} operations are open on this websocket, which is the limit."))
        self.running[message.id] = running
        try:
            running.begin(await self.operations.open(request, self.context, running))
        except OperationRefused as refused:
            running.refuse(refused)
        except ApiError as error:
            running.refuse(error)

    def keepalive(self) -> None:
        """Checks the token again, and sends idle operations their current cursor."""
        if not self.token:
            return
        try:
            _ = self.context.token
        except Unauthorized as error:
            return self.end(SocketClosed(4403, error.message[:120]))
        cursors = {id: cursor for id, running in self.running.items() if (cursor := running.idle_cursor())}
        if cursors:
            self.outbox.put(b'{"type":"ping","payload":{"cursors":%s}}' % ENCODER.encode(cursors))

    def on_drained(self) -> None:
        for running in list(self.running.values()):
            running.resume()

    def result(self, id: str, body: bytes, cursor: str | None) -> None:
        self.outbox.put(b'{"id":%s,"type":"next","payload":%s}' % (ENCODER.encode(id), body))

    def error(self, id: str, errors: bytes) -> None:
        """Sends the last message of an operation."""
        self.outbox.put(b'{"id":%s,"type":"error","payload":%s}' % (ENCODER.encode(id), errors))

    def complete(self, id: str) -> None:
        self.outbox.put(b'{"id":%s,"type":"complete"}' % ENCODER.encode(id))
