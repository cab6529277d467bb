"""From the POST of a form to its deal in GraphQL: at a steady rate, told by the API's own subscription after commit."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlsplit

import websockets

from services.bench.machine import machine, percentiles

SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { dealChanged { deal { fields } } }"}}
CONNECTIONS = 16
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


async def visible(
    address: str, graphql_url: str, token: str, rate: int, seconds: int, told: Callable[[str], None]
) -> dict[str, Any]:
    """`rate` forms/s for `seconds`. Raises OSError when nothing listens."""
    run = os.urandom(4).hex()
    posted: dict[str, float] = {}
    accepted: list[float] = []
    seen: dict[str, float] = {}
    refused = 0
    poster = Poster(address)
    await poster.open()

    async def send(n: int) -> None:
        nonlocal refused
        name = f"{run}-{n}"
        body = f"name={quote_plus('Олена ' + name)}&phone=%2B38067{n:07d}&email=v{name}@example.ua&visible={name}"
        posted[name] = time.perf_counter()
        if await poster.post(body):
            accepted.append(time.perf_counter() - posted[name])
        else:
            refused += 1

    async with websockets.connect(f"ws{graphql_url.removeprefix('http')}", subprotocols=["graphql-transport-ws"]) as ws:  # type: ignore[list-item]  # a plain name is one
        await ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        await ws.recv()
        await ws.send(json.dumps(SUBSCRIBE))

        async def watch() -> None:
            async for message in ws:
                now = time.perf_counter()
                answer = json.loads(message)
                if answer["type"] in ("error", "complete"):
                    raise RuntimeError(f"the subscription ended: {message!r}")
                if answer["type"] != "next":
                    continue
                deal = answer["payload"]["data"]["dealChanged"]["deal"]
                name = deal and deal["fields"].get("visible", "")
                if name in posted and name not in seen:
                    seen[name] = now - posted[name]

        watching = asyncio.create_task(watch())
        warm_up = [asyncio.create_task(send(n)) for n in range(10)]
        await asyncio.gather(*warm_up)
        await until(lambda: len(seen) >= 10 or watching.done(), PATIENCE)
        told(f"posting {rate} forms/s for {seconds} s")
        accepted.clear()
        seen.clear()
        posted.clear()
        began = time.perf_counter()
        sending = []
        for n in range(rate * seconds):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            sending.append(asyncio.create_task(send(1000 + n)))
        await asyncio.gather(*sending)
        await until(lambda: len(seen) >= len(accepted) or watching.done(), PATIENCE)
        if watching.done():
            watching.result()
        watching.cancel()
    poster.close()
    return {
        "benchmark": "end-to-end, form to GraphQL",
        "machine": machine(),
        "settings": {"rate": rate, "seconds": seconds, "connections": CONNECTIONS},
        "accepted": len(accepted),
        "refused": refused,
        "never_seen": len(accepted) - len(seen),
        "accepted_ms": percentiles(accepted),
        "visible_ms": percentiles(list(seen.values())),
    }


async def until(done: Callable[[], bool], patience: float) -> None:
    end = time.perf_counter() + patience
    while not done() and time.perf_counter() < end:
        await asyncio.sleep(0.02)
