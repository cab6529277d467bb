"""The process that receives what a benchmark sends, as the benchmark sees it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from crm.adapters.processes import child

PATIENCE = 120.0  # seconds for what is left to arrive
LOOK = 0.02  # seconds between two questions
LONGEST = 1 << 28  # bytes of an answer


class Sink:
    """A module that calls `sink_server.serve`, at a port."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port

    async def ask(self, what: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n".encode())
        await self.process.stdin.drain()
        return msgspec.json.decode(await self.process.stdout.readline())

    async def until(self, count: int) -> float:
        """Waits until so many have arrived at good receivers; returns when, by the monotonic clock. Raises
        RuntimeError."""
        end = time.monotonic() + PATIENCE
        while (found := await self.ask("count")) < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{found} of {count} arrived")
            await asyncio.sleep(LOOK)
        return time.monotonic()

    async def take(self) -> dict[str, list[Any]]:
        """Returns what arrived since the last call, by receiver."""
        found: dict[str, list[Any]] = await self.ask("take")
        return found


@asynccontextmanager
async def sink(module: str) -> AsyncIterator[Sink]:
    pipe = asyncio.subprocess.PIPE
    async with child(sys.executable, "-m", module, stdin=pipe, stdout=pipe, limit=LONGEST) as process:
        assert process.stdout
        yield Sink(process, int(await process.stdout.readline()))
        process.kill()
