"""Connections that say nothing, by the hundred thousand: what becomes of them, of the API's memory, of others."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from tests.bench.machine import machine, percentiles

QUERY = {"query": "{ deals(first: 1) { nodes { id } } }"}
SOURCES = 50  # addresses of 127.0.0.0/8 that they come from: one has 28,000 ports
PATIENCE = 30.0  # seconds for one of them to be told that it is let go


class Flood:
    """`said` counts what the connections were told, by status; "kept" is none in PATIENCE seconds."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port, self.said = host, port, Counter[str]()

    async def one(self, number: int) -> None:
        source = f"127.0.1.{number % SOURCES + 1}" if self.host.startswith("127.") else None
        try:
            local = (source, 0) if source else None
            reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=local)
        except OSError as error:
            self.said[type(error).__name__] += 1
            return
        try:
            async with asyncio.timeout(PATIENCE):
                line = await reader.readline()
            self.said[line[9:12].decode("latin-1") or "closed"] += 1
        except TimeoutError:
            self.said["kept"] += 1
        except OSError as error:
            self.said[type(error).__name__] += 1
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def many(self, count: int, at_once: int, told: Callable[[str], None]) -> None:
        """Each as soon as one before it has ended."""
        numbers = iter(range(count))

        async def next_ones() -> None:
            for number in numbers:
                await self.one(number)
                if number % 1_000 == 0:
                    told(f"{number:,} of {count:,} connections")

        await asyncio.gather(*(next_ones() for _ in range(at_once)))


async def connects(url: str, token: str, count: int, at_once: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Raises OSError when nothing listens. `asked` are ordinary queries, one after the other all the while."""
    parts = urlsplit(url)
    flood = Flood(parts.hostname or "127.0.0.1", parts.port or 80)
    api, took, failed = listener(flood.port), list[float](), 0
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        before, began = api.memory_info().rss if api else None, time.perf_counter()
        flooding = asyncio.create_task(flood.many(count, at_once, told))
        while not flooding.done():
            asked = time.perf_counter()
            try:
                answer = await http.post(url, json=QUERY, headers={"authorization": f"Bearer {token}"})
                failed += answer.status_code != 200
                took.append(time.perf_counter() - asked)
            except httpx.HTTPError:
                failed += 1
            await asyncio.wait([flooding], timeout=0.05)
        await flooding
        seconds = time.perf_counter() - began
    return {
        "benchmark": "connects",
        "settings": {"connections": count, "at_once": at_once},
        "machine": machine(),
        "seconds": round(seconds, 1),
        "told": dict(flood.said),
        "asked": {"queries": len(took), "failed": failed, **percentiles(took)},
        "api_memory_bytes": {"before": before, "after": api.memory_info().rss if api else None},
    }


def listener(port: int) -> psutil.Process | None:
    """The process that serves that port on this machine, if it is ours to see."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", 0) == port
            if listens and connection.pid:
                return psutil.Process(connection.pid)
    return None
