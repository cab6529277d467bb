"""An ASGI application whose requests are counted, timed and, when traces are on, traced."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.metrics import REQUEST_SECONDS, REQUESTS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

QUIET = ("/livez", "/readyz", "/metrics")
ADDRESSES = ("/facts", "/graphql", "/screen-pop")
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
counted, timed = cache(REQUESTS.labels), cache(REQUEST_SECONDS.labels)  # the looking up costs more than the counting
BROKEN_OFF = "499"  # the client closed the connection before there was an answer; nginx's code


def handler_of(path: str) -> str:
    """The address as a label: few of them, whatever strangers ask for. Empty when it is not worth counting."""
    if path.startswith("/in/"):
        return "/in/{connection}"
    if path in ADDRESSES:
        return path
    return "" if path in QUIET else "other"


class Observed:
    """Websockets pass through: they are counted as subscriptions."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        handler = handler_of(scope["path"]) if scope["type"] == "http" else ""
        if not handler:
            return await self.app(scope, receive, send)
        method = scope["method"] if scope["method"] in METHODS else "other"
        code, began = BROKEN_OFF, time.perf_counter()

        async def noted(message: Any) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            await send(message)

        try:
            if tracing.spans:
                trace = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
                with tracing.spans.request(f"{method} {handler}", trace):
                    await self.app(scope, receive, noted)
            else:
                await self.app(scope, receive, noted)
        except Exception:
            code = "500" if code == BROKEN_OFF else code
            raise
        finally:
            counted(method, handler, code).inc()
            timed(method, handler).observe(time.perf_counter() - began)
