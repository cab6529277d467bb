"""A program that cuts off whoever uses a child process, sooner and later. Python says at its end what was left."""

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
    """As it was done before."""
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


if __name__ == "__main__":
    for steps in range(STEPS):
        asyncio.run(cut({"child": child, "plain": plain}[sys.argv[1]], steps, int(sys.argv[2])))
        gc.collect()
