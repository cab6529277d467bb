"""`GET /screen-pop`: who is calling, as server-sent events, for the employees that the query names."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import parse_qsl

import msgspec

from api.access import require
from api.context import Context
from api.errors import ApiError, Forbidden
from api.http.endpoint import ALWAYS, Endpoint, Receive, Scope, Send, respond
from api.http.refusal import Refusal
from api.http.sse import HEADERS, counted, until_gone
from api.live.screen_pop import Pop, ScreenPops, read_cursor
from api.live.subscriptions.keepalive import Keepalive
from api.live.subscriptions.limits import ConnectionLimits
from api.live.subscriptions.outbox import Outbox

PATH = "/screen-pop"
COST = 10  # points of a connection
RETRY_MS = 2_000  # after which EventSource connects again
MOST = 50  # employees of one screen
METHOD = (b"allow", b"GET")


class ScreenPopEndpoint:
    """The ASGI handler. It authenticates as /graphql does."""

    def __init__(
        self, pops: ScreenPops, graphql: Endpoint, connections: ConnectionLimits, keepalive: Keepalive
    ) -> None:
        self.pops, self.graphql, self.connections, self.keepalive = pops, graphql, connections, keepalive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            if scope["method"] != "GET":
                raise Refusal(405, "METHOD_NOT_ALLOWED", "Open this address with GET. Nothing was read.", METHOD)
            token = self.graphql.token(headers)
            try:
                require(token, "read")
            except Forbidden as error:
                raise Refusal(403, error.code, error.message) from None
            employees = read_employees(scope["query_string"])
            last = headers.get("last-event-id", "")
            try:
                if last:
                    read_cursor(last, token.workspace)
            except ApiError as error:
                raise Refusal(400, error.code, error.message) from None
            self.graphql.rates.take(token.id, COST)
            context = self.graphql.context(headers.get("authorization", ""))
            with counted(self.connections, context.authorization):
                pops = self.pops.follow(token.workspace, employees, last or None)
                stream = PopStream(context, self.connections, send)
                self.keepalive.add(stream)
                try:
                    await stream.serve(receive, pops)
                finally:
                    self.keepalive.remove(stream)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), "application/json", *refusal.headers)


class PopStream:
    """One open stream. `pop`: everything before its cursor was put into the outbox."""

    def __init__(self, context: Context, connections: ConnectionLimits, send: Send) -> None:
        self.context, self.raw = context, send
        self.pop: Pop | None = None
        self.sent = ""
        self.ended, self.drained = asyncio.Event(), asyncio.Event()
        self.outbox = Outbox(self.send, connections.limits.patience, self.drained.set, self.ended.set)

    async def send(self, text: bytes) -> None:
        await self.raw({"type": "http.response.body", "body": text, "more_body": True})

    async def serve(self, receive: Receive, pops: AsyncGenerator[Pop]) -> None:
        """Serves until either side ends the stream."""
        await self.raw({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *ALWAYS[1:]]})
        self.outbox.put(b"retry: %d\n\n" % RETRY_MS)
        tasks = [asyncio.create_task(work) for work in (until_gone(receive), self.ended.wait(), self.follow(pops))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            gone = tasks[0].done()
            if not gone and self.outbox.sending:
                await asyncio.wait([self.outbox.sending, tasks[0]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.outbox.close()
        if not gone:
            await self.raw({"type": "http.response.body", "body": b"", "more_body": False})

    async def follow(self, pops: AsyncGenerator[Pop]) -> None:
        """Sends what happens. The reason of an end is the last message; its empty id makes the next attempt begin
        where the cursor is at fault."""
        try:
            async with aclosing(pops):
                async for pop in pops:
                    self.context.workspace()
                    while self.outbox.busy:
                        self.drained.clear()
                        await self.drained.wait()
                    if pop.messages or self.pop is None:
                        self.outbox.put(text_of(pop))
                        self.sent = pop.cursor
                    self.pop = pop
        except ApiError as error:
            said = msgspec.json.encode({"code": error.code, "message": error.message})
            forget = b"id\n" if error.code == "BAD_CURSOR" else b""
            self.outbox.put(b"event: refused\n%sdata: %s\n\n" % (forget, said))

    def keepalive(self) -> None:
        """Sends a comment, so that proxies keep the stream open, with an `id` alone when there is a newer one."""
        if not self.outbox.busy:
            before, self.sent = self.sent, self.pop.cursor if self.pop else ""
            self.outbox.put(b":\n" + (b"id: %s\n\n" % self.sent.encode() if self.sent != before else b"\n"))


def text_of(pop: Pop) -> bytes:
    """Returns messages as one piece of the stream; the last one brings the cursor."""
    id = b"id: %s\n" % pop.cursor.encode()
    if not pop.messages:
        return id + b"\n"
    texts = [b"event: %s\ndata: %s\n" % (kind.encode(), msgspec.json.encode(said)) for kind, said in pop.messages]
    return b"\n".join(texts[:-1]) + (b"\n" if texts[:-1] else b"") + id + texts[-1] + b"\n"


def read_employees(query: bytes) -> tuple[str, ...]:
    """Returns the values of `employee`. Raises Refusal."""
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (ValueError, UnicodeError):
        raise Refusal(400, "BAD_REQUEST", "The query string is not percent-encoded UTF-8. Nothing was read.") from None
    if unknown := sorted({name for name, _ in given if name != "employee"}):
        raise Refusal(400, "BAD_REQUEST", f"There is no parameter `{unknown[0]}`, only `employee`. Nothing was read.")
    employees = tuple(dict.fromkeys(value.strip() for _, value in given))
    if not all(employees) or len(employees) > MOST:
        message = f"Each `employee` is a key, e-mail or internal number, at most {MOST} of them. Nothing was read."
        raise Refusal(400, "BAD_REQUEST", message)
    return employees
