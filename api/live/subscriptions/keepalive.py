"""Keeps connections alive: one task that visits every connection in turn, instead of a timer for each."""

import asyncio
import time
from typing import Protocol

WAKEUPS = 20  # of the task in one interval


class KeptAlive(Protocol):
    """A connection."""

    def keepalive(self) -> None: ...


class Keepalive:
    """Calls `keepalive` of each connection every `every` seconds."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.members: dict[KeptAlive, float] = {}  # with the time of its next turn, the earliest first
        self.task: asyncio.Task[None] | None = None

    def add(self, member: KeptAlive) -> None:
        self.members[member] = time.monotonic() + self.every
        if self.task is None:
            self.task = asyncio.create_task(self.run())

    def remove(self, member: KeptAlive) -> None:
        self.members.pop(member, None)
        if not self.members and self.task:
            self.task.cancel()
            self.task = None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.every / WAKEUPS)
            now = time.monotonic()
            while (first := next(iter(self.members), None)) and self.members[first] <= now:
                del self.members[first]
                self.members[first] = now + self.every
                first.keepalive()
