"""One websocket with the protocol graphql-transport-ws, as github.com/enisdenjo/graphql-ws defines it."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from api.context import Context
from api.errors import ApiError, TooMuch, Unauthorized
from api.http.asked import Asked
from api.http.numbers import ENCODER, Number
from api.live.subscriptions.limits import Doors, Rate
from api.live.subscriptions.operation import Operations, Refused
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.running import Running
from crm.adapters.telemetry.metrics import LET_GO

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
log = structlog.get_logger()


class Said(msgspec.Struct, gc=False):
    """A message from a client."""

    type: str
    id: str = ""
    payload: Any = None


class Closed(Exception):
    """Ends the connection with this code and reason."""

    def __init__(self, code: int, reason: str, limit: str = "") -> None:
        self.code, self.reason = code, reason
        if limit:
            LET_GO.labels(limit).inc()


SLOW = Closed(4440, "You did not read for too long. Subscribe again with your last cursor.")
read = msgspec.json.Decoder(Said, float_hook=Number).decode


class Socket:
    """From its acceptance to its end."""

    def __init__(self, context: Context, operations: Operations, doors: Doors, receive: Receive, send: Send) -> None:
        self.context, self.operations, self.doors, self.receive, self.raw = context, operations, doors, receive, send
        self.bounds = doors.bounds
        self.outbox = Outbox(self.send, self.bounds.patience, self.on_room, lambda: self.end(SLOW))
        self.running: dict[str, Running] = {}
        self.task = asyncio.current_task()
        self.ending: Closed | None = None
        self.token = ""

    async def send(self, text: bytes) -> None:
        await self.raw({"type": "websocket.send", "text": text.decode()})

    async def serve(self) -> None:
        """Until either side ends it."""
        try:
            if await self.init():
                rate = Rate(self.bounds)
                while (said := await self.hear(rate)) is not None:
                    await self.take(said)
        except Closed as closed:
            self.ending = closed
        except asyncio.CancelledError:
            if self.ending is None or self.task is None:
                raise
            self.task.uncancel()
        finally:
            for running in list(self.running.values()):
                running.close()
            if self.token:
                self.doors.forget(self.token)
        if self.ending:
            await self.close(self.ending)

    async def close(self, closed: Closed) -> None:
        """The close frame waits behind what the client has not read."""
        self.outbox.close()
        try:
            async with asyncio.timeout(self.bounds.patience):
                await self.raw({"type": "websocket.close", "code": closed.code, "reason": closed.reason})
        except Exception:
            log.debug("a websocket was gone before it was closed", code=closed.code)

    def end(self, closed: Closed) -> None:
        """From outside of its task."""
        if self.ending is None and self.task:
            self.ending = closed
            self.task.cancel()

    async def init(self) -> bool:
        """False when the client goes away before. Raises Closed."""
        try:
            async with asyncio.timeout(self.bounds.init):
                said = await self.hear()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout", "init") from None
        if said is None:
            return False
        if said.type == "subscribe":
            raise Closed(4401, "Unauthorized")
        if said.type != "connection_init":
            raise Closed(4400, f"{said.type[:40]} before connection_init")
        given = said.payload if isinstance(said.payload, dict) else {}
        self.context.connection_params = given
        self.context.authorization = str(
            given.get("authorization") or given.get("Authorization") or self.context.authorization
        )
        try:
            _ = self.context.token
            self.doors.known(self.context.authorization)
            self.token = self.context.authorization
        except Unauthorized as error:
            raise Closed(4403, error.message[:120]) from None
        except TooMuch as error:
            raise Closed(4429, error.message[:120]) from None
        self.outbox.put(b'{"type":"connection_ack"}')
        return True

    async def hear(self, rate: Rate | None = None) -> Said | None:
        """The next message; None when the client is gone. Raises Closed."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if rate and not rate.allows():
            raise Closed(4441, f"More than {self.bounds.messages:.0f} messages a second. Send fewer.", "messages")
        text = message.get("text")
        if text is None:
            raise Closed(4400, "Messages are text, not binary")
        try:
            return read(text)
        except msgspec.DecodeError:
            raise Closed(4400, "This is no message of graphql-transport-ws") from None

    async def take(self, said: Said) -> None:
        match said.type:
            case "ping":
                if not self.outbox.busy:
                    self.outbox.put(b'{"type":"pong"}')
            case "pong":
                pass
            case "subscribe":
                await self.subscribe(said)
            case "complete":
                if running := self.running.pop(said.id, None):
                    running.close()
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case _:
                raise Closed(4400, f"There is no message {said.type[:40]}")

    async def subscribe(self, said: Said) -> None:
        if not said.id:
            raise Closed(4400, "subscribe needs an id")
        if said.id in self.running:
            raise Closed(4409, f"Subscriber for {said.id[:80]} already exists")
        try:
            asked = msgspec.convert(said.payload, Asked)
        except msgspec.ValidationError as error:
            raise Closed(4400, f"subscribe: {error}"[:120]) from None
        running = Running(self, said.id)
        if len(self.running) >= self.bounds.operations:
            LET_GO.labels("operations").inc()
            return running.refuse(TooMuch(f"{len(self.running)} operations are open on this websocket: the limit."))
        self.running[said.id] = running
        try:
            running.begin(await self.operations.open(asked, self.context, running))
        except Refused as refused:
            running.refuse(refused)
        except ApiError as error:
            running.refuse(error)

    def pulse(self) -> None:
        """Now and then: the token is looked at again, and quiet operations are told their cursor of now."""
        if not self.token:
            return
        try:
            _ = self.context.token
        except Unauthorized as error:
            return self.end(Closed(4403, error.message[:120]))
        cursors = {id: cursor for id, running in self.running.items() if (cursor := running.quiet())}
        if cursors:
            self.outbox.put(b'{"type":"ping","payload":{"cursors":%s}}' % ENCODER.encode(cursors))

    def on_room(self) -> None:
        for running in list(self.running.values()):
            running.go_on()

    def result(self, id: str, body: bytes, cursor: str | None) -> None:
        self.outbox.put(b'{"id":%s,"type":"next","payload":%s}' % (ENCODER.encode(id), body))

    def error(self, id: str, errors: bytes) -> None:
        """The last message of an operation."""
        self.outbox.put(b'{"id":%s,"type":"error","payload":%s}' % (ENCODER.encode(id), errors))

    def complete(self, id: str) -> None:
        self.outbox.put(b'{"id":%s,"type":"complete"}' % ENCODER.encode(id))
