"""The vendors' side of sending: takes what the role outbound sends, keeps a ledger, and fails as it is set.

An ASGI application: `/<connector>/<path of the vendor>`; what a vendor answers is `take` of its rehearsal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from services.connectors.rehearsal import rehearsals

App = Callable[..., Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Taken(NamedTuple):
    """A message that arrived in a chat."""

    connector: str
    chat: str
    text: str


class Refusal(NamedTuple):
    """An answer in place of the vendor's, which takes nothing then."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b"{}"


class Senders:
    """What arrived, in order. `behave` may wait, or return a refusal; it is asked before a message arrives, and
    `answers` after it, before the answer goes out. A repetition by an idempotency key gets the first answer."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.requests: list[Taken] = []
        self.known: dict[str, bytes] = {}
        self.behave: Callable[[Taken], Awaitable[Refusal | None]] = nothing
        self.answers: Callable[[Taken], Awaitable[object]] = nothing
        self.changed = asyncio.Event()

    def texts(self, chat: str) -> list[str]:
        return [one.text for one in self.taken if one.chat == chat]

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: App) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        _, connector, path = scope["path"].split("/", 2)
        take = rehearsals()[connector].take
        assert take
        found = take(f"/{path}", body)
        assert found, f"{connector} does not know {path}"
        answer, (chat, text) = found
        one = Taken(connector, chat, text)
        self.requests.append(one)
        self.changed.set()
        if refusal := await self.behave(one):
            await respond(send, refusal)
            return
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key", b"").decode()
        if key not in self.known:
            self.taken.append(one)
        answer = self.known.setdefault(key, answer) if key else answer
        await self.answers(one)
        await respond(send, Refusal(200, {}, answer))


async def nothing(_: Taken) -> Refusal | None:
    return None


async def respond(send: App, answer: Refusal) -> None:
    headers = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": listed})
    await send({"type": "http.response.body", "body": answer.body})
