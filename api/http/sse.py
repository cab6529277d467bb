"""One operation as an event stream: graphql-sse (github.com/enisdenjo/graphql-sse) in distinct connections mode."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from api.context import Context
from api.errors import ApiError, TooMuch, Unauthorized
from api.http.refusal import RETRY, Refusal
from api.http.request import GraphQLRequest
from api.live.subscriptions.keepalive import Keepalive
from api.live.subscriptions.limits import ConnectionLimits
from api.live.subscriptions.operation import OperationRefused, Operations
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.running import RunningOperation
from api.live.subscriptions.socket import Message, Receive, Send

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would buffer messages
]
DONE = b"event: complete\ndata:\n\n"


class Stream:
    """One event stream. Each message carries its cursor as `id`, which browsers send back as Last-Event-ID."""

    def __init__(self, context: Context, operations: Operations, connections: ConnectionLimits, send: Send) -> None:
        self.context, self.operations, self.raw = context, operations, send
        self.running: dict[str, RunningOperation] = {}
        self.ended = asyncio.Event()
        self.outbox = Outbox(self.send, connections.limits.patience, self.on_drained, self.ended.set)

    async def send(self, text: bytes) -> None:
        await self.raw({"type": "http.response.body", "body": text, "more_body": True})
        if text.endswith(DONE):
            self.ended.set()

    async def serve(self, receive: Receive, request: GraphQLRequest, after: str | None) -> None:
        """Serves until either side ends the stream. `after` is the Last-Event-ID."""
        await self.raw({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self.outbox.put(b":\n\n")  # the headers alone would wait for the first message
        running = self.running[""] = RunningOperation(self, "")
        try:
            running.begin(await self.operations.open(request, self.context, running, after))
        except (OperationRefused, ApiError) as error:
            running.refuse(error)
        gone = asyncio.create_task(until_gone(receive))
        ended = asyncio.create_task(self.ended.wait())
        try:
            await asyncio.wait([gone, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, ended):
                task.cancel()
            running.close()
            self.outbox.close()
        if not gone.done():
            await self.raw({"type": "http.response.body", "body": b"", "more_body": False})

    def keepalive(self) -> None:
        """Sends a comment, so that proxies keep the stream open, or an `id` alone, which only moves Last-Event-ID."""
        running = self.running.get("")
        if running is None or self.outbox.busy:
            return
        try:
            running.check_token()
        except Unauthorized as error:
            return running.fail(error)
        cursor = running.idle_cursor()
        self.outbox.put(b"id: %s\n\n" % cursor.encode() if cursor else b":\n\n")

    def on_drained(self) -> None:
        for running in list(self.running.values()):
            running.resume()

    def result(self, id: str, body: bytes, cursor: str | None) -> None:
        at = b"id: %s\n" % cursor.encode() if cursor else b""
        self.outbox.put(b"event: next\n%sdata: %s\n\n" % (at, body.replace(b"\n", b"\ndata: ")))

    def error(self, id: str, errors: bytes) -> None:
        self.outbox.put(b'event: next\ndata: {"errors":%s}\n\n%s' % (errors, DONE))

    def complete(self, id: str) -> None:
        self.outbox.put(DONE)


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streams:
    """Opens event streams, within the limits."""

    def __init__(self, operations: Operations, connections: ConnectionLimits, keepalive: Keepalive) -> None:
        self.operations, self.connections, self.keepalive = operations, connections, keepalive

    async def __call__(
        self, request: GraphQLRequest, context: Context, scope: Message, receive: Receive, send: Send
    ) -> None:
        """Raises Refusal, before anything was sent."""
        if scope["method"] != "POST" and (request.query or "").lstrip().startswith("mutation"):
            message = "Send mutations with POST. Nothing was changed."
            raise Refusal(405, "METHOD_NOT_ALLOWED", message, (b"allow", b"POST"))
        after = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        with counted(self.connections, context.authorization):
            stream = Stream(context, self.operations, self.connections, send)
            self.keepalive.add(stream)
            try:
                await stream.serve(receive, request, after or None)
            finally:
                self.keepalive.remove(stream)


@contextmanager
def counted(connections: ConnectionLimits, authorization: str) -> Iterator[None]:
    """Counts an event stream as long as it is open. Raises Refusal when there are too many."""
    try:
        connections.enter("stream")
    except TooMuch as error:
        raise Refusal(503, error.code, error.message, RETRY) from None
    try:
        connections.enter_token(authorization)
    except TooMuch as error:
        connections.leave("stream")
        raise Refusal(429, error.code, error.message, RETRY) from None
    try:
        yield
    finally:
        connections.leave_token(authorization)
        connections.leave("stream")
