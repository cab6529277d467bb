"""Processor time by part: of this thread, and of the Postgres session that works for it."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

Spent = dict[str, float]  # microseconds by part
UNBOUNDED = "-c transaction_timeout=0 -c idle_in_transaction_session_timeout=0"


class Clock:
    """Gives the time to the part that is at work. Of nested parts each has its own."""

    def __init__(self, backend: int) -> None:
        """`backend`: the process of the Postgres session."""
        self.backend = Path(f"/proc/{backend}/schedstat")
        self.parts: dict[str, int] = defaultdict(int)  # nanoseconds
        self.stack: list[str] = []
        self.since = 0

    def switch(self) -> None:
        at = time.thread_time_ns()
        if self.stack:
            self.parts[self.stack[-1]] += at - self.since
        self.since = at

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self.switch()
        self.stack.append(name)
        try:
            yield
        finally:
            self.switch()
            self.stack.pop()

    def served(self) -> int:
        """Returns the processor time of the Postgres session, in nanoseconds."""
        return int(self.backend.read_text().split()[0])

    def timed(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function, or coroutine function, so that its time is that of a part."""

        async def awaited(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return await act(*given, **named)

        def called(*given: Any, **named: Any) -> Any:
            with self.part(name):
                found = act(*given, **named)
                return list(found) if hasattr(found, "send") else found

        return awaited if asyncio.iscoroutinefunction(act) else called

    @contextmanager
    def timing(self, places: Iterable[tuple[Any, str, str]]) -> Iterator[None]:
        """Times functions during the block. `places`: a module or a class, the function's name in it, its part."""
        before = [(owner, name, vars(owner)[name]) for owner, name, _ in places]
        for (owner, name, act), (_, _, part) in zip(before, places, strict=True):
            setattr(owner, name, self.timed(part, act))
        try:
            yield
        finally:
            for owner, name, act in before:
                setattr(owner, name, act)

    def each(self, count: int) -> Spent:
        """Returns what one of `count` things took, and begins again."""
        found = {part: spent / count / 1000 for part, spent in self.parts.items()}
        self.parts.clear()
        return found


class TimedConnection(AsyncConnection):
    """Counts what the server does for each statement, while it has a clock. `label`: the part of a statement."""

    clock: Clock | None = None
    label: Callable[[Any], str]

    async def execute(self, query: Any, *given: Any, **named: Any) -> Any:
        if self.clock is None:
            return await super().execute(query, *given, **named)
        before = self.clock.served()
        found = await super().execute(query, *given, **named)
        self.clock.parts[self.label(query)] += self.clock.served() - before
        return found


def named_statement(query: Any) -> str:
    """Returns the verb and the table of a statement."""
    text = query.decode() if isinstance(query, bytes) else str(query)
    table = re.search(r"(?:read|core)\.\w+", text)
    return f"{text.split()[0].lower()} {table[0] if table else text[7:24]}"


def least(found: Sequence[Spent]) -> Spent:
    """Returns the least of each part, of those that have it: what other work on the machine adds is in the others."""
    parts = dict.fromkeys(part for one in found for part in one)
    return {part: min(one[part] for one in found if part in one) for part in parts}
