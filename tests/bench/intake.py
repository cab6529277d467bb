"""`crm bench intake`: how many form POSTs a second the intake acknowledges, and how long each waits."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from tests.bench.machine import machine, percentiles

FORM = "name=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0+{n}&phone=%2B38050{n:07d}&email=o{n}@example.ua&comment=bench+{run}-{n}"


class Driver(asyncio.Protocol):
    """One keep-alive connection that sends the next request after each answer. It parses only the status line."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent_at = 0.0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.post()

    def post(self) -> None:
        request = self.load.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        answer = self.buffer + data
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found or len(body) < length_of(head):
            self.buffer = answer
            return
        self.buffer = b""
        self.load.answered(head, time.perf_counter() - self.sent_at)
        self.post()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.closed()


def length_of(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


class Load:
    """The requests of one process: a new form each time, until the time is over."""

    def __init__(self, address: str, seconds: float, first: int) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {self.host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        )
        self.until = time.perf_counter() + seconds
        self.run, self.number = os.urandom(4).hex(), first
        self.seconds: list[float] = []
        self.errors = self.open = 0
        self.over = asyncio.Event()

    def next_request(self) -> bytes | None:
        if time.perf_counter() >= self.until:
            return None
        self.number += 1
        body = FORM.format(n=self.number, run=self.run)
        return f"{self.head}{len(body)}\r\n\r\n{body}".encode()

    def answered(self, head: bytes, seconds: float) -> None:
        if head[9:12] == b"200":
            self.seconds.append(seconds)
        else:
            self.errors += 1

    def closed(self) -> None:
        self.open -= 1
        if not self.open:
            self.over.set()

    async def drive(self, connections: int) -> tuple[list[float], int]:
        loop = asyncio.get_running_loop()
        self.open = connections
        for _ in range(connections):
            await loop.create_connection(lambda: Driver(self), self.host, self.port)
        await self.over.wait()
        return self.seconds, self.errors


def drive(address: str, seconds: float, connections: int, first: int) -> tuple[list[float], int]:
    """Runs in a process of its own. Returns the seconds of each accepted POST and the number of others."""
    import uvloop

    async def run() -> tuple[list[float], int]:
        return await Load(address, seconds, first).drive(connections)

    return uvloop.run(run())


def bench_intake(
    intake_url: str,
    connection: str,
    *,
    seconds: float = 10.0,
    connections: int = 64,
    processes: int = 1,
    warm_up: float = 2.0,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Posts distinct forms to `{intake_url}/in/{connection}` as fast as they are acknowledged.

    Starts no server. Raises OSError when nothing listens there.
    """
    address = f"{intake_url.rstrip('/')}/in/{connection}"
    parts = urlsplit(address)
    socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), 2).close()
    report = progress or (lambda _: None)
    each = max(1, connections // processes)
    with ProcessPoolExecutor(processes) as pool:
        report(f"warming up for {warm_up:g} s")
        drive_all(pool, address, warm_up, each, processes, 0)
        report(f"posting forms for {seconds:g} s over {each * processes} connections")
        began = time.perf_counter()
        taken, errors = drive_all(pool, address, seconds, each, processes, 100_000)
        lasted = time.perf_counter() - began
    return {
        "benchmark": "intake",
        "machine": machine(),
        "settings": {"connections": each * processes, "load_processes": processes, "seconds": seconds},
        "posts_per_s": round(len(taken) / lasted),
        **percentiles(taken),
        "accepted": len(taken),
        "errors": errors,
        "seconds": round(lasted, 2),
    }


def drive_all(
    pool: ProcessPoolExecutor, address: str, seconds: float, connections: int, processes: int, first: int
) -> tuple[list[float], int]:
    parts = [pool.submit(drive, address, seconds, connections, first + i * 1_000_000) for i in range(processes)]
    results = [part.result() for part in parts]
    return [second for taken, _ in results for second in taken], sum(errors for _, errors in results)
