"""`python -m tests.bench.decide`: what the decide role costs a fact, by part, in processor time.

No Kafka, and a Postgres of its own. Statements are awaited one by one, so that each pays its own; the last line is a
run as the role runs, with pipelined statements.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import psycopg
import typer
from psycopg import AsyncConnection

import crm.state.folds
import streams.decide
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
from tests.bench.part_times import UNBOUNDED, Clock, Spent, TimedConnection, least
from tests.support.servers import postgres_server
from tests.support.workload.facts import kafka_record, mixed_facts

SIZE = 500  # facts a batch


@dataclass
class Record:
    """A record as Kafka gives it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    timestamp: int = 0


PLACES = (
    (decide_batch, "prefetch", "load state"),
    (decide_batch, "decided", "rules"),
    (crm.state.folds, "fold", "fold"),
    (outbox, "packed", "encode"),
    (outbox, "append", "outbox"),
    (Batch, "write", "store state"),
    (streams.decide, "read", "decode"),
)


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


async def measure(dsn: str, name: str, make: Callable[[Id, int], list[list[Record]]], rounds: int) -> Spent:
    """Returns µs a fact by part."""
    workspace = Id(str(uuid4()))
    await create_workspace(dsn, workspace, name, owners=("olena@example.com", "ihor@example.com", "anna@example.com"))
    async with await TimedConnection.connect(dsn, autocommit=True, options=f"{SESSION} {UNBOUNDED}") as conn:
        if name == "object":
            await define(conn, command_of(workspace, TYPE))
        role = Decide()
        for batch in make(workspace, 0):
            await run(conn, role, batch, pipelined=True)
        clock = Clock(conn.info.backend_pid)
        conn.label = lambda _: f"postgres: {clock.stack[-1]}"
        found: list[Spent] = []
        for number in range(1, rounds + 1):
            todo = make(workspace, number)
            facts = sum(map(len, todo))
            if number % 2:
                conn.clock = clock
                with clock.timing(PLACES):
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
            found.append(clock.each(facts))
        conn.clock = None
        await conn.execute("TRUNCATE core.outbox")
    return {part: round(spent, 1) for part, spent in least(found).items()}


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


def print_parts(kind: str, found: Spent) -> None:
    print(f"{kind}, µs a fact")
    for part in sorted(found, key=lambda part: ("whole" in part, "postgres" in part, part)):
        print(f"  {part:24} {found[part]:6}", flush=True)


if __name__ == "__main__":
    typer.run(main)
