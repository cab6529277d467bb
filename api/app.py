"""The HTTP surface: /graphql for queries and subscriptions, GraphiQL beside it, and the health paths."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.access import Access
from api.changes import Changes
from api.context import Context
from api.database import Pool
from api.errors import Unauthorized
from api.graphiql import POLICY, static
from api.schema import schema
from api.sockets import patient
from crm.adapters.health import Ready, answer

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
# The encoder writes numbers of custom fields exactly as they are stored.
ENCODER = msgspec.json.Encoder(decimal_format="number")

CHALLENGE, RETRY = (b"www-authenticate", b"Bearer"), (b"retry-after", b"1")


class TooLarge(Exception):
    """The body of a request is over the limit."""


class Graph(GraphQL[Context, None]):
    """strawberry's ASGI application with our context."""

    def __init__(self, pool: Pool, access: Access, changes: Changes) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        )
        self.parts = pool, access, changes

    async def get_context(self, request: Any, response: Any) -> Context:
        return Context(*self.parts, authorization=request.headers.get("authorization", ""))

    async def on_ws_connect(self, context: Context) -> Any:
        """A browser cannot set headers on a websocket, so the token comes in connection_init."""
        given = context.connection_params or {}
        context.authorization = str(given.get("authorization") or given.get("Authorization") or context.authorization)
        try:
            context.workspace()
        except Unauthorized:
            raise ConnectionRejectionError from None
        return await super().on_ws_connect(context)

    def encode_json(self, data: object) -> str:
        return ENCODER.encode(data).decode()


class App:
    """Routes by path. What it answers itself is small and fixed."""

    def __init__(self, pool: Pool, access: Access, changes: Changes, ready: Ready, max_body: int = 1_000_000) -> None:
        self.graph = Graph(pool, access, changes)
        self.access, self.ready, self.max_body = access, ready, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await patient(self.graph if scope["path"] == "/graphql" else absent, scope, receive, send)
        elif scope["path"] != "/graphql":
            status, body, kind = answer(scope["path"], self.ready) or static(scope["path"])
            await reply(send, status, body, kind)
        elif scope["method"] in ("GET", "HEAD"):
            await reply(send, *static("/graphql"), (b"content-security-policy", POLICY.encode()))
        else:
            await self.query(scope, receive, send)

    async def query(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            Context(*self.graph.parts, headers.get(b"authorization", b"").decode("latin-1")).workspace()
            await self.graph(scope, self.limited(receive), send)
        except Unauthorized as error:
            if missing := self.ready():  # the token may be one of those that are not known yet
                await refuse(send, 503, "UNAVAILABLE", f"{missing} Nothing was read; try again.", RETRY)
            else:
                await refuse(send, 401, error.code, error.message, CHALLENGE)
        except TooLarge:
            await refuse(send, 413, "TOO_LARGE", f"A request may have {self.max_body} bytes. Nothing was read.")

    def limited(self, receive: Receive) -> Receive:
        taken = 0

        async def take() -> Scope:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.max_body:
                raise TooLarge
            return message

        return take


async def reply(send: Send, status: int, body: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, code: str, message: str, *more: tuple[bytes, bytes]) -> None:
    body = ENCODER.encode({"errors": [{"message": message, "extensions": {"code": code}}]})
    await reply(send, status, body, "application/json", *more)


async def absent(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})
