"""Posts bodies to `POST /facts` over several connections and waits until they are decided and projected."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, Self

from psycopg import AsyncConnection

from services.stack import demo_workspace, state
from tests.bench.open_api.lines import FIRST, Rounds
from tests.bench.rebuild_under_load import Stack
from tests.bench.streaming import Progress, progress
from tests.support.workload.batches import NDJSON
from tests.support.workload.http_client import ConnectionPool

CONNECTIONS = 4
ANSWERED = 120.0  # seconds for the answer to a body
PATIENCE = 900.0  # seconds until everything is decided and projected
LOOK = 0.1  # seconds between two looks at the progress
ACCEPTED = b'"status":"accepted"'
Say = Callable[[str], None]


class OpenApi:
    """A running stack: its addresses, a token of its demo workspace, and its progress. An async context manager."""

    def __init__(self, folder: Path, say: Say) -> None:
        demo = demo_workspace.read(folder)
        assert demo  # `crm up` has made it
        self.stack, self.demo, self.say, self.folder = state.running(folder), demo, say, folder
        self.numbers = count(FIRST)
        headers = f"Authorization: Bearer {demo.token}\r\nContent-Type: {NDJSON}\r\n"
        self.pool = ConnectionPool(f"{self.stack.intake_url}/facts", CONNECTIONS, headers, ANSWERED)

    async def __aenter__(self) -> Self:
        await self.pool.open()
        self.conn = await AsyncConnection.connect(self.stack.database_url, autocommit=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.pool.close()
        await self.conn.close()

    def rounds(self, kind: str, known: int, size: int) -> Rounds:
        """Returns bodies whose content is new to this stack."""
        return Rounds(self.numbers, kind, known, size)

    async def progress(self) -> Progress:
        return await progress(self.conn)

    async def post(self, body: bytes) -> int:
        """Returns how many facts it had. Raises RuntimeError when one was not accepted."""
        answer = await self.pool.post(body)
        lines = body.count(b"\n") + 1
        if answer.status != 200 or answer.body.count(ACCEPTED) != lines:
            refused = next((line for line in answer.body.split(b"\n") if ACCEPTED not in line), b"")
            raise RuntimeError(f"POST /facts answered {answer.status}: {refused.decode()[:500]}")
        return lines

    async def post_all(self, bodies: Iterable[bytes]) -> tuple[int, list[float]]:
        """Posts bodies over all connections. Returns how many facts they had, and the seconds until each answer."""
        waiting, taken = iter(bodies), list[float]()

        async def connection() -> int:
            facts = 0
            for body in waiting:
                began = time.perf_counter()
                facts += await self.post(body)
                taken.append(time.perf_counter() - began)
            return facts

        return sum(await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))), taken

    async def caught_up(self, before: Progress, facts: int) -> Progress:
        """Waits until `facts` are decided since `before` and projected. Raises TimeoutError with what is missing."""
        began = time.perf_counter()
        while True:
            now = await self.progress()
            decided, behind = now.decided - before.decided, now.journaled - now.projected
            if decided >= facts and behind <= 0:
                return now
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{decided:,} of {facts:,} facts were decided; {behind:,} events are to project")
            self.say(f"{decided:,} of {facts:,} facts decided, {behind:,} events to project")
            await asyncio.sleep(LOOK)


def own_stack(folder: Path) -> Stack:
    """Returns `crm up` on a folder, with tokens that may ask as fast as they can."""
    stack = Stack(folder)
    stack.environment["CRM_RATE_POINTS"] = "0"
    return stack


def rate(facts: int, seconds: float) -> dict[str, Any]:
    return {"facts": facts, "seconds": round(seconds, 2), "facts_per_s": round(facts / seconds)}
