"""A role, or another part that runs until it is cancelled, for as long as a test needs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar


class Runs(Protocol):
    async def run(self) -> Any: ...


Role = TypeVar("Role", bound=Runs)


@asynccontextmanager
async def while_running(role: Role) -> AsyncIterator[Role]:
    """Runs a role; ends it abruptly, like a killed one. Raises what it raised."""
    task = asyncio.create_task(role.run())
    try:
        yield role
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            raise error
