"""One request to /graphql: who asks, what is asked, which answer is understood; all else is the engine's."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from graphql import OperationType

from api.access import Access, Token, bearer, require
from api.context import Context
from api.engine import Engine
from api.errors import Forbidden, Unauthorized
from api.http import body
from api.http.accept import GRAPHQL, JSON, negotiated, streamed
from api.http.asked import Asked, check_type, of_body, of_query
from api.http.refusal import CHALLENGE, RETRY, Gone, Header, Refusal
from api.limits.cost import LIMIT
from api.limits.rates import Rates
from api.trusted import Untrusted
from crm.adapters.telemetry.health import Ready

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
MakeContext = Callable[[str], Context]  # of the Authorization header
Stream = Callable[[Asked, Context, Scope, Receive, Send], Awaitable[None]]
WRONG = 10  # points that it costs to find out what is wrong with a document
METHODS = (b"allow", b"GET, HEAD, POST")
# An answer belongs to a token, and a browser that shows it as a page must run nothing in it.
ALWAYS: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Endpoint:
    """`stream` answers those who want server-sent events."""

    def __init__(
        self,
        engine: Engine,
        access: Access,
        context: MakeContext,
        ready: Ready,
        max_body: int,
        rates: Rates,
        stream: Stream | None = None,
    ) -> None:
        self.engine, self.access, self.context, self.ready = engine, access, context, ready
        self.max_body, self.rates, self.stream = max_body, rates, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        accept = headers.get("accept", "")
        kind = negotiated(accept) or JSON
        try:
            token = self.token(headers)
            asked = await self.asked(scope, headers, receive)
            context = self.context(headers.get("authorization", ""))
            context.idempotency_key = headers.get("idempotency-key")
            context.min_position = headers.get("crm-min-position") or (asked.extensions or {}).get("minPosition")
            if self.stream and streamed(accept):
                return await self.stream(asked, context, scope, receive, send)
            if negotiated(accept) is None:
                raise Refusal(406, "NOT_ACCEPTABLE", f"Nothing was read. Accept {GRAPHQL} or {JSON}.")
            await self.run(asked, token, context, scope["method"], kind, send)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), kind, *refusal.headers)
        except Gone:
            return

    def token(self, headers: Mapping[str, str]) -> Token:
        """Only of this header: what a browser sends by itself proves nothing, so no other page can ask in its name."""
        try:
            return bearer(self.access, headers.get("authorization", ""))
        except Unauthorized as error:
            if missing := self.ready():  # the token may be one of those that are not known yet
                raise Refusal(503, "UNAVAILABLE", f"{missing} Nothing was read; try again.", RETRY) from None
            raise Refusal(401, error.code, error.message, CHALLENGE) from None

    async def asked(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Asked:
        """Raises Refusal, Gone."""
        if scope["method"] in ("GET", "HEAD"):
            return of_query(scope["query_string"])
        if scope["method"] != "POST":
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Send queries with POST, or with GET. Nothing was read.", METHODS)
        check_type(headers)
        return of_body(await body.read(headers, receive, self.max_body))

    async def run(self, asked: Asked, token: Token, context: Context, method: str, kind: str, send: Send) -> None:
        """Raises Refusal."""
        self.rates.ask(token.id)
        plan = self.engine.prepare(self.document(asked), asked.operation_name, token)
        cost = plan.cost(asked.variables or {})
        if plan.errors or cost > LIMIT:
            self.rates.charge(token.id, WRONG)
        else:
            self.permit(plan.kind, token, method)
            self.rates.take(token.id, cost)
        answer = await self.engine.answer(plan, asked.variables, context)
        status = 200 if answer.ok or kind == JSON else 400
        await respond(send, status, answer.body, kind, *answer.headers, *self.rates.headers(token.id))

    def document(self, asked: Asked) -> str:
        """Raises Refusal."""
        try:
            return self.engine.trusted.text(asked.query, asked.document_id, asked.extensions)
        except Untrusted as error:
            raise Refusal(400, error.code, error.message) from None

    def permit(self, operation: OperationType | None, token: Token, method: str) -> None:
        """Raises Refusal when this token, or this method, may not do what the operation does."""
        if operation is OperationType.SUBSCRIPTION:
            message = "A subscription goes over a websocket, or needs `Accept: text/event-stream`. Nothing was read."
            raise Refusal(400, "BAD_REQUEST", message)
        if operation is OperationType.MUTATION and method != "POST":
            message = "Send mutations with POST. Nothing was changed."
            raise Refusal(405, "METHOD_NOT_ALLOWED", message, (b"allow", b"POST"))
        try:
            require(token, *(("write", "connect") if operation is OperationType.MUTATION else ("read",)))
        except Forbidden as error:
            raise Refusal(403, error.code, error.message) from None


async def respond(send: Send, status: int, body: bytes, kind: str, *more: Header) -> None:
    await reply(send, status, body, f"{kind}; charset=utf-8", *ALWAYS, *more)


async def reply(send: Send, status: int, body: bytes, kind: str, *more: Header) -> None:
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
