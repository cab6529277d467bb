"""The HTTP surface: /graphql for queries and subscriptions, GraphiQL beside it, and the health paths."""

from functools import partial
from pathlib import Path

from api.access import Access, Curious, anyone
from api.commands.desk import Desk
from api.context import Context
from api.engine import Engine
from api.graphiql import POLICY, static
from api.http.endpoint import Endpoint, Receive, Scope, Send, reply
from api.http.sockets import Sockets
from api.http.sse import Streams
from api.limits.rates import Rates
from api.live.changes import Changes
from api.live.freshness import Freshness
from api.live.subscriptions.keepalive import Pulse
from api.live.subscriptions.limits import BOUNDS, Bounds, Doors
from api.live.subscriptions.operation import Operations
from api.sql.pool import Pool
from api.trusted import NOTHING, Trusted
from crm.adapters.telemetry.health import Ready, answer


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
        bounds: Bounds = BOUNDS,
        archive: Path | None = None,
    ) -> None:
        self.ready = ready
        engine, rates = Engine(freshness, curious=curious, trusted=trusted), Rates(rate_points)
        context = partial(Context, pool, access, changes, desk=desk, archive=archive)
        operations, doors, pulse = Operations(engine, changes.hub, rates), Doors(bounds), Pulse(bounds.ping)
        self.sockets = Sockets(operations, doors, pulse, context)
        self.endpoint = Endpoint(engine, access, context, ready, max_body, rates, Streams(operations, doors, pulse))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
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
