"""The HTTP surface: /graphql for queries and subscriptions, GraphiQL beside it, and the health paths."""

from functools import partial
from typing import Any

import msgspec
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.access import Access, Curious, anyone
from api.changes import Changes
from api.commands.desk import Desk
from api.context import Context
from api.engine import Engine
from api.errors import Unauthorized
from api.freshness import Freshness
from api.graphiql import POLICY, static
from api.http.endpoint import Endpoint, Receive, Scope, Send, reply
from api.limits.rates import Rates
from api.pool import Pool
from api.schema import schema
from api.sockets import patient
from api.trusted import NOTHING, Trusted
from crm.adapters.health import Ready, answer

# The encoder writes numbers of custom fields exactly as they are stored.
ENCODER = msgspec.json.Encoder(decimal_format="number")


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

    def __init__(
        self,
        pool: Pool,
        access: Access,
        changes: Changes,
        ready: Ready,
        max_body: int = 1_000_000,
        rate_points: int = 0,
        curious: Curious = anyone,
        trusted: Trusted = NOTHING,
        desk: Desk | None = None,
        freshness: Freshness | None = None,
    ) -> None:
        self.graph, self.ready = Graph(pool, access, changes), ready
        engine = Engine(freshness, curious=curious, trusted=trusted)
        self.endpoint = Endpoint(
            engine, access, partial(Context, pool, access, changes, desk=desk), ready, max_body, Rates(rate_points)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await patient(self.graph if scope["path"] == "/graphql" else absent, scope, receive, send)
        elif scope["path"] == "/graphql" and not wants_page(scope):
            await self.endpoint(scope, receive, send)
        elif scope["path"] == "/graphql":
            status, body, kind = static("/graphql")
            await reply(send, status, body, kind, (b"content-security-policy", POLICY.encode()))
        else:
            status, body, kind = answer(scope["path"], self.ready) or static(scope["path"])
            await reply(send, status, body, kind)


def wants_page(scope: Scope) -> bool:
    """Somebody opens the address in a browser, and asks nothing yet."""
    return scope["method"] in ("GET", "HEAD") and not scope["query_string"]


async def absent(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})
