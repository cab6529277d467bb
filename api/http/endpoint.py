"""Handles a request to /graphql: authenticates it, parses it and negotiates the response. The engine executes it."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from graphql import OperationType

from api.access import TO_CHANGE, Access, Token, bearer, is_role, require
from api.context import Context
from api.engine import Engine
from api.errors import Forbidden, Unauthorized
from api.http import body
from api.http.accept import GRAPHQL, JSON, negotiate, wants_stream
from api.http.refusal import CHALLENGE, RETRY, ClientGone, Header, Refusal
from api.http.request import GraphQLRequest, check_type, from_body, from_query_string
from api.limits.cost import LIMIT
from api.limits.rates import Rates
from api.trusted import Untrusted
from crm.adapters.telemetry.health import Ready

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
MakeContext = Callable[[str], Context]  # of the Authorization header
Stream = Callable[[GraphQLRequest, Context, Scope, Receive, Send], Awaitable[None]]
INVALID_COST = 10  # points for validating a document that is not valid
METHODS = (b"allow", b"GET, HEAD, POST")
# A response belongs to one token, and a browser that shows it as a page must not run anything in it.
ALWAYS: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Endpoint:
    """The ASGI handler. `stream` answers clients that ask for server-sent events."""

    def __init__(
        self,
        engine: Engine,
        access: Access,
        context: MakeContext,
        ready: Ready,
        max_body: int,
        rates: Rates,
        stream: Stream,
    ) -> None:
        self.engine, self.access, self.context, self.ready = engine, access, context, ready
        self.max_body, self.rates, self.stream = max_body, rates, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        accept = headers.get("accept", "")
        kind = negotiate(accept) or JSON
        try:
            token = self.token(headers)
            request = await self.read_request(scope, headers, receive)
            context = self.context(headers.get("authorization", ""))
            context.idempotency_key = headers.get("idempotency-key")
            context.min_position = headers.get("crm-min-position") or (request.extensions or {}).get("minPosition")
            if wants_stream(accept):
                return await self.stream(request, context, scope, receive, send)
            if negotiate(accept) is None:
                raise Refusal(406, "NOT_ACCEPTABLE", f"Send `Accept: {GRAPHQL}` or `{JSON}`. Nothing was read.")
            await self.run(request, token, context, scope["method"], kind, send)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), kind, *refusal.headers)
        except ClientGone:
            return

    def token(self, headers: Mapping[str, str]) -> Token:
        """Authenticates by the Authorization header only, so that no other web page can use a person's session."""
        try:
            return bearer(self.access, headers.get("authorization", ""))
        except Unauthorized as error:
            if missing := self.ready():  # the tokens may not have been read yet
                raise Refusal(503, "UNAVAILABLE", f"{missing} Nothing was read; try again.", RETRY) from None
            raise Refusal(401, error.code, error.message, CHALLENGE) from None

    async def read_request(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> GraphQLRequest:
        """Raises Refusal, Gone."""
        if scope["method"] in ("GET", "HEAD"):
            return from_query_string(scope["query_string"])
        if scope["method"] != "POST":
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Send queries with POST, or with GET. Nothing was read.", METHODS)
        check_type(headers)
        return from_body(await body.read(headers, receive, self.max_body))

    async def run(
        self, request: GraphQLRequest, token: Token, context: Context, method: str, kind: str, send: Send
    ) -> None:
        """Raises Refusal."""
        self.rates.check(token.id)
        plan = self.engine.prepare(self.document(request, token), request.operation_name, token)
        cost = plan.cost(request.variables or {})
        if plan.errors or cost > LIMIT:
            self.rates.charge(token.id, INVALID_COST)
        else:
            self.permit(plan.kind, token, method)
            self.rates.take(token.id, cost)
        answer = await self.engine.answer(plan, request.variables, context)
        status = 200 if answer.ok or kind == JSON else 400
        await respond(send, status, answer.body, kind, *answer.headers, *self.rates.headers(token.id))

    def document(self, request: GraphQLRequest, token: Token) -> str:
        """Returns the text of the operation; those of our own roles are trusted. Raises Refusal."""
        if is_role(token):
            return request.query or ""
        try:
            return self.engine.trusted.text(request.query, request.document_id, request.extensions)
        except Untrusted as error:
            raise Refusal(400, error.code, error.message) from None

    def permit(self, operation: OperationType | None, token: Token, method: str) -> None:
        """Raises Refusal when this token, or this HTTP method, does not permit the operation."""
        if operation is OperationType.SUBSCRIPTION:
            message = "Subscriptions need a websocket, or `Accept: text/event-stream`. Nothing was read."
            raise Refusal(400, "BAD_REQUEST", message)
        if operation is OperationType.MUTATION and method != "POST":
            message = "Send mutations with POST. Nothing was changed."
            raise Refusal(405, "METHOD_NOT_ALLOWED", message, (b"allow", b"POST"))
        try:
            require(token, *(TO_CHANGE if operation is OperationType.MUTATION else ("read",)))
        except Forbidden as error:
            raise Refusal(403, error.code, error.message) from None


async def respond(send: Send, status: int, body: bytes, kind: str, *more: Header) -> None:
    await reply(send, status, body, f"{kind}; charset=utf-8", *ALWAYS, *more)


async def reply(send: Send, status: int, body: bytes, kind: str, *more: Header) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
