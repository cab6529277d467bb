"""What projecting costs: `python -m tests.bench.project_cost`, microseconds of processor time an event, by part.

In one process, without Kafka, on a Postgres of its own: updates of known objects, updates of known deals, and the
mixture of `tests.support.workload.facts`. Half of the batches run as in the role, in a pipeline; the other half
statement by statement, so that each has its share of the server's time. The least of the batches counts.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection

from crm.adapters.postgres import history
from crm.adapters.postgres.migrations import migrate
from crm.envelope import named_id
from crm.scalars import Micros
from projections import PROJECTIONS
from services.intake.fact_lines import parse_line
from services.intake.values import LineContext
from streams import project
from streams.project import Project, ProjectionBatch
from streams.runtime import checkpoints
from streams.runtime.sessions import ASYNC_COMMIT_SESSION
from tests.bench.open_api.lines import TYPE, Rounds
from tests.support.operator_session import operator_session
from tests.support.project_role import ALL, ProjectRole
from tests.support.records import Record, events_of, journal
from tests.support.scenarios import NOON, SHOP
from tests.support.servers import postgres_server
from tests.support.workload.facts import mixed_facts

BATCH = 500  # events, as the role takes
OPTIONS = f"{ASYNC_COMMIT_SESSION} -c transaction_timeout=0 -c idle_in_transaction_session_timeout=0"
PARTS: dict[str, tuple[Any, str]] = {
    "decode": (project, "decode"),
    "route": (Project, "route"),
    "fold": (ProjectionBatch, "fold"),
    "pack": (ProjectionBatch, "pack"),
    "rows": (ProjectionBatch, "receive"),
    "checkpoints": (checkpoints, "read"),
    "selected": (checkpoints, "select_new"),
    "move": (checkpoints, "move"),
    "load": (ProjectionBatch, "load"),
    "save": (ProjectionBatch, "save"),
    "history": (history, "keep"),
    "notices": (ProjectionBatch, "changes"),
}
Spent = dict[str, float]  # microseconds


def of_lines(kind: str, keys: int, rounds: int) -> tuple[list[Record], list[Record]]:
    """Returns the journal of all keys of a kind, and that of rounds of updates."""
    session = operator_session().do("object_type_define", **TYPE)
    decide, context = session.decide, LineContext(named_id(SHOP, "token"), SHOP, NOON)
    bodies, marks = Rounds(iter(range(100, 1_000)), kind, keys, keys), []
    for n, body in enumerate(bodies.next(keys * rounds)):
        for line in body.splitlines():
            decide.take(parse_line(line, lambda: SHOP, context), Micros(NOON + n * 60_000_000))
        marks.append(len(decide.journal))
    records = journal(decide.journal)
    return records[: marks[0]], records[marks[0] :]


def of_mixture(facts: int) -> tuple[list[Record], list[Record]]:
    return [], journal(events_of(list(mixed_facts(SHOP, facts, run=SHOP)), SHOP))


def server_time(pid: int) -> float:
    """Returns the processor time of a process, in microseconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1_000


class Meter:
    """Counts processor time by part. Of nested parts each has its own."""

    def __init__(self) -> None:
        self.spent: Spent = defaultdict(float)
        self.inner = [0.0]

    def begin(self) -> float:
        self.inner.append(0.0)
        return time.thread_time()

    def end(self, part: str, began: float) -> None:
        took = (time.thread_time() - began) * 1e6
        self.spent[part] += took - self.inner.pop()
        self.inner[-1] += took

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(function):

            async def waited(*args: Any, **named: Any) -> Any:
                began = self.begin()
                try:
                    return await function(*args, **named)
                finally:
                    self.end(part, began)

            return waited

        def called(*args: Any, **named: Any) -> Any:
            began = self.begin()
            try:
                found = function(*args, **named)
                return list(found) if hasattr(found, "send") else found
            finally:
                self.end(part, began)

        return called

    @contextmanager
    def measuring(self) -> Iterator[None]:
        before = {part: vars(owner)[name] for part, (owner, name) in PARTS.items() if name in vars(owner)}
        for part, function in before.items():
            setattr(*PARTS[part], self.timed(part, function))
        try:
            yield
        finally:
            for part, function in before.items():
                setattr(*PARTS[part], function)


def named(query: Any) -> str:
    """Returns the verb and the table of a statement."""
    text = query.decode() if isinstance(query, bytes) else str(query)
    table = re.search(r"(?:read|core)\.\w+", text)
    return f"{text.split()[0].lower()} {table[0] if table else text[7:24]}"


class SplitConnection:
    """A connection that waits for each statement and counts the server's time for it."""

    def __init__(self, conn: AsyncConnection, spent: Spent) -> None:
        self.conn, self.spent = conn, spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)

    async def execute(self, query: Any, *args: Any, **given: Any) -> Any:
        before = server_time(self.conn.info.backend_pid)
        found = await self.conn.execute(query, *args, **given)
        self.spent[named(query)] += server_time(self.conn.info.backend_pid) - before
        return found


async def measure(dsn: str, known: Sequence[Record], updates: Sequence[Record]) -> tuple[Spent, Spent]:
    """Returns what an event takes: of Python and of Postgres, and by part and statement."""
    async with await AsyncConnection.connect(dsn, autocommit=True, options=OPTIONS) as conn:
        role = ProjectRole(conn, ALL)
        role.consumption.handler = Project(ALL, with_history=True)
        role.consumers = role.consumption.handler.consumers
        await role.start()
        batches = [updates[n : n + BATCH] for n in range(0, len(updates), BATCH)]
        for n in range(0, len(known), BATCH):
            await role.batch(known[n : n + BATCH])
        half, pid = len(batches) // 2, conn.info.backend_pid
        whole: list[Spent] = []
        for batch in batches[:half]:
            began, server = time.process_time(), server_time(pid)
            await role.batch(batch)
            took = {"Python": (time.process_time() - began) * 1e6, "Postgres": server_time(pid) - server}
            whole.append(each_event(took, batch))
        by_part: list[Spent] = []
        for batch in batches[half:]:
            meter, began = Meter(), time.process_time()
            split: Any = SplitConnection(conn, meter.spent)
            with meter.measuring():
                async with conn.transaction():
                    await role.consumption.apply(split, role.fetches(batch), False)
            python = (time.process_time() - began) * 1e6
            counted = sum(took for part, took in meter.spent.items() if " " not in part)
            by_part.append(each_event(meter.spent | {"rest": python - counted}, batch))
    return least(whole), least(by_part)


def each_event(spent: Spent, batch: Sequence[Record]) -> Spent:
    return {part: took / len(batch) for part, took in spent.items()}


def least(batches: Sequence[Spent]) -> Spent:
    """Returns the least of all batches for each part: what other work on the machine adds is in the others."""
    parts = dict.fromkeys(part for batch in batches for part in batch)
    return {part: min(batch.get(part, 0.0) for batch in batches) for part in parts}


def main(size: int) -> None:
    makers: dict[str, Callable[[], tuple[list[Record], list[Record]]]] = {
        "objects": lambda: of_lines("product", size, 5),
        "deals": lambda: of_lines("deal", size, 5),
        "mixture": lambda: of_mixture(size * 3),
    }
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as dsn:
        for name, make in makers.items():
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute(f"CREATE DATABASE {name}".encode())
            own = dsn.rsplit("/", 1)[0] + f"/{name}"
            migrate(own, PROJECTIONS.values())
            whole, by_part = asyncio.run(measure(own, *make()))
            print(f"{name}: " + ", ".join(f"{side} {took:.1f}" for side, took in whole.items()))
            listed = sorted(by_part.items(), key=lambda pair: (" " in pair[0], -pair[1]))
            print("  " + ", ".join(f"{part} {took:.1f}" for part, took in listed if took >= 0.3))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
