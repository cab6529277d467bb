"""Time from the POST of a form to the notification of its deal by a GraphQL subscription, at a steady rate."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import quote_plus

import websockets

from tests.bench.machine import machine, percentiles
from tests.support.workload.http_client import ConnectionPool

SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { dealChanged { deal { fields } } }"}}
CONNECTIONS = 16
FORM_TYPE = "Content-Type: application/x-www-form-urlencoded\r\n"
WARM_UP = 10  # forms
PATIENCE = 15.0  # seconds for the last cards to appear


class Forms:
    """Posts forms and notes when each becomes visible. An async context manager that warms up on entry."""

    def __init__(self, address: str, graphql_url: str, token: str) -> None:
        self.pool = ConnectionPool(address, CONNECTIONS, FORM_TYPE)
        self.url, self.token = f"ws{graphql_url.removeprefix('http')}", token
        self.run, self.number = os.urandom(4).hex(), 0
        self.posted: dict[str, float] = {}  # moments
        self.accepted: dict[str, float] = {}
        self.seen: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        await self.pool.open()
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
        self.pool.close()

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
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            if (await self.pool.post(body.encode())).status == 200:
                self.accepted[name] = time.perf_counter()

    async def keep_posting(self, rate: int, over: Callable[[float], bool]) -> None:
        """Posts `rate` forms a second until `over` returns true for the seconds passed."""
        began, posting, n = time.perf_counter(), set(), 0
        while not over(n / rate):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            task = asyncio.create_task(self.post())
            posting.add(task)
            task.add_done_callback(posting.discard)
            n += 1
        await asyncio.gather(*posting)

    async def settled(self) -> None:
        """Waits up to PATIENCE seconds until all accepted forms are visible. Raises what ended the subscription."""
        end = time.perf_counter() + PATIENCE
        while len(self.seen) < len(self.accepted) and not self.watching.done() and time.perf_counter() < end:
            await asyncio.sleep(0.02)
        if self.watching.done():
            self.watching.result()

    def figures(self, begin: float, end: float = float("inf")) -> dict[str, Any]:
        """Returns figures of the forms that were posted between two moments."""
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


async def bench_forms(
    address: str, graphql_url: str, token: str, rate: int, seconds: int, report: Callable[[str], None]
) -> dict[str, Any]:
    """`rate` forms/s for `seconds`. Raises OSError when nothing listens."""
    async with Forms(address, graphql_url, token) as forms:
        report(f"posting {rate} forms/s for {seconds} s")
        began = time.perf_counter()
        await forms.keep_posting(rate, lambda passed: passed >= seconds)
        await forms.settled()
    return {
        "benchmark": "end-to-end, form to GraphQL",
        "machine": machine(),
        "settings": {"rate": rate, "seconds": seconds, "connections": CONNECTIONS},
        **forms.figures(began),
    }
