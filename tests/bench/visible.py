"""From the POST of a form to its deal in GraphQL: at a steady rate, told by the API's own subscription after commit."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

import websockets

from tests.bench.machine import machine, percentiles

SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { dealChanged { deal { fields } } }"}}
CONNECTIONS = 16
WARM_UP = 10  # forms
PATIENCE = 15.0  # seconds for the last cards to appear


class Poster:
    """Keep-alive connections that post forms; each is used by one POST at a time."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.path = parts.hostname or "127.0.0.1", parts.port or 80, parts.path
        self.idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def open(self) -> None:
        for _ in range(CONNECTIONS):
            self.idle.put_nowait(await asyncio.open_connection(self.host, self.port))

    async def post(self, body: str) -> bool:
        """True when the intake took it."""
        reader, writer = await self.idle.get()
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next((ln for ln in answer.lower().split(b"\r\n") if ln.startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
        self.idle.put_nowait((reader, writer))
        return answer[9:12] == b"200"

    def close(self) -> None:
        while not self.idle.empty():
            self.idle.get_nowait()[1].close()


class Forms:
    """Forms that are posted, and when each is seen. An async context manager; warm when it is entered."""

    def __init__(self, address: str, graphql_url: str, token: str) -> None:
        self.poster, self.url, self.token = Poster(address), f"ws{graphql_url.removeprefix('http')}", token
        self.run, self.number = os.urandom(4).hex(), 0
        self.posted: dict[str, float] = {}  # moments
        self.accepted: dict[str, float] = {}
        self.seen: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        await self.poster.open()
        self.socket: Any = await websockets.connect(self.url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]  # a plain name is one
        hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
        await self.socket.send(json.dumps(hello))
        await self.socket.recv()
        await self.socket.send(json.dumps(SUBSCRIBE))
        self.watching = asyncio.create_task(self.watch())
        await asyncio.gather(*(self.post() for _ in range(WARM_UP)))
        await self.settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.watching.cancel()
        await self.socket.close()
        self.poster.close()

    async def watch(self) -> None:
        """Raises RuntimeError when the API ends the subscription."""
        async for message in self.socket:
            now = time.perf_counter()
            answer = json.loads(message)
            if answer["type"] in ("error", "complete"):
                raise RuntimeError(f"the subscription ended: {message!r}")
            if answer["type"] != "next":
                continue
            deal = answer["payload"]["data"]["dealChanged"]["deal"]
            name = deal and deal["fields"].get("visible", "")
            if name in self.posted and name not in self.seen:
                self.seen[name] = now

    async def post(self) -> None:
        self.number += 1
        name = f"{self.run}-{self.number}"
        phone = f"%2B38067{self.number:07d}"
        body = f"name={quote_plus('Олена ' + name)}&phone={phone}&email=v{name}@example.ua&visible={name}"
        self.posted[name] = time.perf_counter()
        if await self.poster.post(body):
            self.accepted[name] = time.perf_counter()

    async def keep_posting(self, rate: int, over: Callable[[float], bool]) -> None:
        """`rate` a second until it is over, which is asked with the seconds that have passed."""
        began, posting, n = time.perf_counter(), set(), 0
        while not over(n / rate):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            task = asyncio.create_task(self.post())
            posting.add(task)
            task.add_done_callback(posting.discard)
            n += 1
        await asyncio.gather(*posting)

    async def settled(self) -> None:
        """Until all that were accepted are seen, PATIENCE at most. Raises what ended the subscription."""
        end = time.perf_counter() + PATIENCE
        while len(self.seen) < len(self.accepted) and not self.watching.done() and time.perf_counter() < end:
            await asyncio.sleep(0.02)
        if self.watching.done():
            self.watching.result()

    def figures(self, begin: float, end: float = float("inf")) -> dict[str, Any]:
        """Of those that were posted between these moments."""
        names = [name for name, at in self.posted.items() if begin <= at < end]
        accepted = [name for name in names if name in self.accepted]
        seen = [name for name in accepted if name in self.seen]
        return {
            "accepted": len(accepted),
            "refused": len(names) - len(accepted),
            "never_seen": len(accepted) - len(seen),
            "accepted_ms": percentiles([self.accepted[name] - self.posted[name] for name in accepted]),
            "visible_ms": percentiles([self.seen[name] - self.posted[name] for name in seen]),
        }


async def visible(
    address: str, graphql_url: str, token: str, rate: int, seconds: int, told: Callable[[str], None]
) -> dict[str, Any]:
    """`rate` forms/s for `seconds`. Raises OSError when nothing listens."""
    async with Forms(address, graphql_url, token) as forms:
        told(f"posting {rate} forms/s for {seconds} s")
        began = time.perf_counter()
        await forms.keep_posting(rate, lambda passed: passed >= seconds)
        await forms.settled()
    return {
        "benchmark": "end-to-end, form to GraphQL",
        "machine": machine(),
        "settings": {"rate": rate, "seconds": seconds, "connections": CONNECTIONS},
        **forms.figures(began),
    }
