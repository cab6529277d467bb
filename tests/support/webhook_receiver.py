"""A receiver of webhooks that verifies each delivery with the library of the standard and keeps a ledger."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

SECRET = "whsec_" + "c2VjcmV0IG9mIGEgd2ViaG9vaywgMzIgYnl0ZXMhISE="


@dataclass(frozen=True)
class Received:
    """A delivery that was verified."""

    id: str
    event: dict[str, Any]
    headers: Mapping[str, str] = field(repr=False)
    request: web.Request = field(repr=False)

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def place(self) -> tuple[int, int]:
        return self.event["partition"], int(self.event["position"])


Behave = Callable[[Received], Awaitable[web.Response]]


async def accept(_: Received) -> web.Response:
    return web.Response(status=204)


class WebhookReceiver:
    """Listens on 127.0.0.1; use it with `async with`. `accepted` are the deliveries that it answered with 2xx."""

    def __init__(self, secret: str = SECRET, behave: Behave = accept) -> None:
        self.sign_with(secret)
        self.behave = behave
        self.accepted: list[Received] = []
        self.tried: list[Received] = []
        self.wanted = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.handle)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it listens
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def sign_with(self, secret: str) -> None:
        """Verifies with this secret from now on."""
        from standardwebhooks import Webhook  # missing where only what runs is installed; most benchmarks need none

        self.webhook = Webhook(secret)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.webhook.verify(body, dict(request.headers), json_parse=False)
        received = Received(request.headers["webhook-id"], json.loads(body), dict(request.headers), request)
        self.tried.append(received)
        answer = await self.behave(received)
        if answer.status < 300:
            self.accepted.append(received)
        return answer

    async def missing(self) -> str | None:
        """Returns what is missing until `wanted` deliveries are accepted."""
        return None if len(self.accepted) >= self.wanted else f"{len(self.accepted)} of {self.wanted} deliveries"

    def chained(self, first: Mapping[int, int | None] | None = None) -> None:
        """Checks that no delivery is missing: each names the one before it, in its partition."""
        last: dict[int, int | None] = dict(first or {})
        for one in sorted({one.place: one for one in self.accepted}.values(), key=lambda one: one.place):
            partition, position = one.place
            previous = one.event.get("previous")
            assert last.get(partition) == (None if previous is None else int(previous)), one
            last[partition] = position
