"""One task that looks at every connection in turn, instead of a timer for each."""

import asyncio
import time
from typing import Protocol

LOOKS = 20  # in the time between two pulses


class Beating(Protocol):
    """A connection."""

    def pulse(self) -> None: ...


class Pulse:
    """Each connection's `pulse` is called every so many seconds."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.members: dict[Beating, float] = {}  # whose turn comes next is the first, and when
        self.task: asyncio.Task[None] | None = None

    def add(self, member: Beating) -> None:
        self.members[member] = time.monotonic() + self.every
        if self.task is None:
            self.task = asyncio.create_task(self.run())

    def remove(self, member: Beating) -> None:
        self.members.pop(member, None)
        if not self.members and self.task:
            self.task.cancel()
            self.task = None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.every / LOOKS)
            now = time.monotonic()
            while (first := next(iter(self.members), None)) and self.members[first] <= now:
                del self.members[first]
                self.members[first] = now + self.every
                first.pulse()
