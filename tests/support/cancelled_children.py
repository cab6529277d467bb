"""Cancels a task with a child process at different steps. Python warns at exit about what was left open."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from crm.adapters.processes import child

PIPE = asyncio.subprocess.PIPE
STEPS = 12  # turns of the loop before the cut: more than a start takes
Start = Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]


@asynccontextmanager
async def plain(*command: str, **given: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """The implementation before crm.adapters.processes."""
    process = await asyncio.create_subprocess_exec(*command, **given)
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


async def used(start: Start) -> None:
    async with start("cat", stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"word\n")
        assert await process.stdout.readline() == b"word\n"
        await process.stdout.readline()


async def cut(start: Start, steps: int, cuts: int) -> None:
    using = asyncio.ensure_future(used(start))
    for _ in range(steps):
        await asyncio.wait([using], timeout=0)
    for _ in range(cuts):
        using.cancel()
        await asyncio.wait([using], timeout=0)
    await asyncio.wait([using])


STARTS: dict[str, Start] = {"child": child, "plain": plain}

if __name__ == "__main__":
    for steps in range(STEPS):
        asyncio.run(cut(STARTS[sys.argv[1]], steps, int(sys.argv[2])))
        gc.collect()
