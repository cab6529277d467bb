"""What goes wrong between a vendor and intake: an ASGI application in front of it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Literal

Kind = Literal["", "error", "answer lost", "silence"]
App = Callable[..., Awaitable[None]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Faulty:
    """Passes requests on to intake, through the faults that are planned for the path of a connection."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.planned: dict[str, list[Kind]] = defaultdict(list)  # by path: one for each of the next deliveries
        self.silent: dict[str, asyncio.Event] = defaultdict(
            asyncio.Event
        )  # by path: intake has it, and no answer comes
        self.taken: dict[str, list[int]] = defaultdict(list)  # by path: what intake itself answered

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: App) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        kind = self.planned[path].pop(0) if self.planned[path] else ""
        if kind == "error":  # a proxy whose intake is away
            await answer(send, 503)
            return
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        self.taken[path].append(next(m["status"] for m in messages if m["type"] == "http.response.start"))
        if kind == "answer lost":
            await answer(send, 502)
        elif kind == "silence":
            self.silent[path].set()
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            for message in messages:
                await send(message)


async def answer(send: App, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<html>Bad gateway</html>"})
