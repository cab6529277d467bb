"""One operation as an event stream, as github.com/enisdenjo/graphql-sse has it with a connection for each."""

import asyncio

from api.context import Context
from api.errors import ApiError, TooMuch, Unauthorized
from api.http.asked import Asked
from api.http.refusal import RETRY, Refusal
from api.live.subscriptions.keepalive import Pulse
from api.live.subscriptions.limits import Doors
from api.live.subscriptions.operation import Operations, Refused
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.running import Running
from api.live.subscriptions.socket import Message, Receive, Send

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep messages back
]
DONE = b"event: complete\ndata:\n\n"


class Stream:
    """From its headers to its end. Every message carries its cursor as `id`: browsers send it back as Last-Event-ID."""

    def __init__(self, context: Context, operations: Operations, doors: Doors, send: Send) -> None:
        self.context, self.operations, self.raw = context, operations, send
        self.running: dict[str, Running] = {}
        self.over = asyncio.Event()
        self.outbox = Outbox(self.send, doors.bounds.patience, self.on_room, self.over.set)

    async def send(self, text: bytes) -> None:
        await self.raw({"type": "http.response.body", "body": text, "more_body": True})
        if text.endswith(DONE):
            self.over.set()

    async def serve(self, receive: Receive, asked: Asked, after: str | None) -> None:
        """Until either side ends it. `after` is the Last-Event-ID."""
        await self.raw({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self.outbox.put(b":\n\n")  # the headers alone would wait for the first message
        running = self.running[""] = Running(self, "")
        try:
            running.begin(await self.operations.open(asked, self.context, running, after))
        except (Refused, ApiError) as error:
            running.refuse(error)
        gone = asyncio.create_task(until_gone(receive))
        over = asyncio.create_task(self.over.wait())
        try:
            await asyncio.wait([gone, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, over):
                task.cancel()
            running.close()
            self.outbox.close()
        if not gone.done():
            await self.raw({"type": "http.response.body", "body": b"", "more_body": False})

    def pulse(self) -> None:
        """Keeps proxies from ending it. An `id` alone moves the browser's Last-Event-ID and is no message."""
        running = self.running.get("")
        if running is None or self.outbox.busy:
            return
        try:
            running.check()
        except Unauthorized as error:
            return running.fail(error)
        cursor = running.quiet()
        self.outbox.put(b"id: %s\n\n" % cursor.encode() if cursor else b":\n\n")

    def on_room(self) -> None:
        for running in list(self.running.values()):
            running.go_on()

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
    """Opens streams, within the bounds."""

    def __init__(self, operations: Operations, doors: Doors, pulse: Pulse) -> None:
        self.operations, self.doors, self.pulse = operations, doors, pulse

    async def __call__(self, asked: Asked, context: Context, scope: Message, receive: Receive, send: Send) -> None:
        """Raises Refusal, before anything was sent."""
        if scope["method"] != "POST" and (asked.query or "").lstrip().startswith("mutation"):
            raise Refusal(
                405, "METHOD_NOT_ALLOWED", "Send mutations with POST. Nothing was changed.", (b"allow", b"POST")
            )
        after = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
        try:
            self.doors.enter("stream")
        except TooMuch as error:
            raise Refusal(503, error.code, error.message, RETRY) from None
        try:
            self.doors.known(context.authorization)
        except TooMuch as error:
            self.doors.leave("stream")
            raise Refusal(429, error.code, error.message, RETRY) from None
        stream = Stream(context, self.operations, self.doors, send)
        self.pulse.add(stream)
        try:
            await stream.serve(receive, asked, after or None)
        finally:
            self.pulse.remove(stream)
            self.doors.forget(context.authorization)
            self.doors.leave("stream")
