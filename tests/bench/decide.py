"""`python -m tests.bench.decide`: what the decide role costs a fact, by part, in processor time.

No Kafka, and a Postgres of its own. Statements are awaited one by one, so that each pays its own; the last line is a
run as the role runs, with pipelined statements.
"""

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import psycopg
import typer
from psycopg import AsyncConnection

import crm.decisions
from crm.adapters.postgres import outbox
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.state import Batch
from crm.engine import decide_batch
from crm.engine.workspaces import create_workspace
from crm.envelope import now
from crm.scalars import Id
from projections import PROJECTIONS
from services.intake.fact_lines import parse_line
from services.intake.records import written
from services.intake.values import LineContext
from services.operations.object_types import command_of, define
from streams.decide import Decide
from streams.runtime.sessions import SESSION
from tests.bench.open_api.lines import FIRST, LINES, ROUND, TYPE
from tests.support.servers import postgres_server
from tests.support.workload.facts import kafka_record, mixed_facts

PATIENT = "-c transaction_timeout=0 -c idle_in_transaction_session_timeout=0"
SIZE = 500  # facts a batch
Parts = dict[str, int]  # nanoseconds


@dataclass
class Record:
    """A record as Kafka gives it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    timestamp: int = 0


class Clock:
    """Processor time of this thread and of the Postgres session, given to the part that is at work."""

    def __init__(self, backend: int) -> None:
        self.backend = Path(f"/proc/{backend}/schedstat")
        self.parts: Parts = defaultdict(int)
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
        return int(self.backend.read_text().split()[0])

    def timed(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return act(*given, **named)

        return timed

    def awaited(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        async def timed(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return await act(*given, **named)

        return timed


class TimedConnection(AsyncConnection):
    """Gives what the server does for a statement to the part that sends it."""

    clock: Clock | None = None

    async def execute(self, *given: Any, **named: Any) -> Any:
        if self.clock is None:
            return await super().execute(*given, **named)
        before = self.clock.served()
        found = await super().execute(*given, **named)
        self.clock.parts[f"postgres: {self.clock.stack[-1]}"] += self.clock.served() - before
        return found


@contextmanager
def instrumented(clock: Clock) -> Iterator[None]:
    places = [
        (decide_batch, "prefetch", clock.awaited("load state", decide_batch.prefetch)),
        (decide_batch, "decided", clock.timed("rules", vars(decide_batch)["decided"])),
        (crm.decisions, "fold", clock.timed("fold", vars(crm.decisions)["fold"])),
        (outbox, "packed", clock.timed("encode", outbox.packed)),
        (outbox, "append", clock.awaited("outbox", outbox.append)),
        (Batch, "write", clock.awaited("store state", Batch.write)),
        (sys.modules["streams.decide"], "read", clock.timed("decode", sys.modules["streams.decide"].read)),
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in places]
    for place, name, act in places:
        setattr(place, name, act)
    try:
        yield
    finally:
        for place, name, act in before:
            setattr(place, name, act)


def lines(kind: str, workspace: Id, number: int, known: int) -> Iterator[Record]:
    context = LineContext(workspace, workspace, now())
    for n in range(known):
        line = LINES[kind](n).encode().replace(ROUND, b"%d" % number)
        fact = parse_line(line, lambda: Id(str(uuid4())), context)
        yield Record("crm.intake.facts", n % 16, number * known + n, written(fact, "").value or b"")


def mixture(workspace: Id, facts: int) -> Iterator[Record]:
    for offset, fact in enumerate(mixed_facts(workspace, facts)):
        topic, partition, _, value = kafka_record(fact)
        yield Record(topic, partition, offset, value)


def batches(records: Iterator[Record]) -> list[list[Record]]:
    found = list(records)
    return [found[at : at + SIZE] for at in range(0, len(found), SIZE)]


async def run(conn: AsyncConnection, role: Decide, batch: Sequence[Record], pipelined: bool) -> None:
    async with AsyncExitStack() as stack:
        if pipelined:
            await stack.enter_async_context(conn.pipeline())
        async with conn.transaction():
            await role.handle(conn, {"decide": batch}, isolate=False)


async def measure(dsn: str, name: str, make: Callable[[Id, int], list[list[Record]]], rounds: int) -> dict[str, float]:
    """Returns µs a fact by part."""
    workspace = Id(str(uuid4()))
    await create_workspace(dsn, workspace, name, owners=("olena@example.com", "ihor@example.com", "anna@example.com"))
    async with await TimedConnection.connect(dsn, autocommit=True, options=f"{SESSION} {PATIENT}") as conn:
        if name == "object":
            await define(conn, command_of(workspace, TYPE))
        role = Decide()
        for batch in make(workspace, 0):
            await run(conn, role, batch, pipelined=True)
        clock = Clock(conn.info.backend_pid)
        found: list[dict[str, float]] = []
        for number in range(1, rounds + 1):
            todo = make(workspace, number)
            facts = sum(map(len, todo))
            clock.parts.clear()
            if number % 2:
                conn.clock = clock
                with instrumented(clock):
                    for batch in todo:
                        with clock.part("other"):
                            await run(conn, role, batch, pipelined=False)
            else:
                conn.clock = None
                began, served = time.thread_time_ns(), clock.served()
                for batch in todo:
                    await run(conn, role, batch, pipelined=True)
                clock.parts["whole: python"] = time.thread_time_ns() - began
                clock.parts["whole: postgres"] = clock.served() - served
            found.append({part: spent / facts / 1000 for part, spent in clock.parts.items()})
        conn.clock = None
        await conn.execute("TRUNCATE core.outbox")
    names = dict.fromkeys(part for one in found for part in one)
    return {part: round(min(one[part] for one in found if part in one), 1) for part in names}


KINDS: dict[str, Callable[[int], Callable[[Id, int], list[list[Record]]]]] = {
    "object": lambda facts: lambda workspace, number: batches(lines("product", workspace, FIRST + number, facts)),
    "deal": lambda facts: lambda workspace, number: batches(lines("deal", workspace, FIRST + number, facts)),
    "mixture": lambda facts: lambda workspace, number: batches(mixture(workspace, facts)),
}


def main(
    facts: Annotated[int, typer.Argument()] = 3000,
    rounds: Annotated[int, typer.Argument()] = 6,
    only: Annotated[str, typer.Argument(help="object, deal or mixture")] = "",
    dsn: Annotated[str, typer.Argument(help="A Postgres; by default one of its own.")] = "",
) -> None:
    """Prints the processor time of a fact by part."""
    with ExitStack() as stack:
        if not dsn:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder.chmod(0o755)  # the server may have a user of its own
            dsn = stack.enter_context(postgres_server(folder))
            migrate(dsn, PROJECTIONS.values())
            with psycopg.connect(dsn) as conn:
                conn.execute("INSERT INTO core.compared VALUES (core.this_server())")
        kinds = {kind: make for kind, make in KINDS.items() if only in ("", kind)}
        for kind, make in kinds.items():
            print_parts(kind, asyncio.run(measure(dsn, kind, make(facts), rounds)))


def print_parts(kind: str, found: dict[str, float]) -> None:
    print(f"{kind}, µs a fact")
    for part in sorted(found, key=lambda part: ("whole" in part, "postgres" in part, part)):
        print(f"  {part:24} {found[part]:6}", flush=True)


if __name__ == "__main__":
    typer.run(main)
