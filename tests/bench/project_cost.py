"""What projecting costs: `python -m tests.bench.project_cost`, microseconds of processor time an event, by part.

In one process, without Kafka, on a Postgres of its own: updates of known objects, updates of known deals, and the
mixture of `tests.support.workload.facts`. Half of the batches run as in the role, in a pipeline; the other half
statement by statement, so that each has its share of the server's time. The least of the batches counts.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg

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
from tests.bench.part_times import UNBOUNDED, Clock, Spent, TimedConnection, least, named_statement
from tests.support.operator_session import operator_session
from tests.support.project_role import ALL, ProjectRole
from tests.support.records import Record, events_of, journal
from tests.support.scenarios import NOON, SHOP
from tests.support.servers import postgres_server
from tests.support.workload.facts import mixed_facts

BATCH = 500  # events, as the role takes
OPTIONS = f"{ASYNC_COMMIT_SESSION} {UNBOUNDED}"
PLACES = (
    (project, "decode", "decode"),
    (Project, "route", "route"),
    (ProjectionBatch, "fold", "fold"),
    (ProjectionBatch, "pack", "pack"),
    (ProjectionBatch, "receive", "rows"),
    (checkpoints, "read_places", "checkpoints"),
    (checkpoints, "select_new", "selected"),
    (checkpoints, "move", "move"),
    (ProjectionBatch, "load", "load"),
    (ProjectionBatch, "save", "save"),
    (history, "keep", "history"),
    (ProjectionBatch, "changes", "notices"),
)


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


async def measure(dsn: str, known: Sequence[Record], updates: Sequence[Record]) -> tuple[Spent, Spent]:
    """Returns what an event takes: of Python and of Postgres, and by part and statement."""
    async with await TimedConnection.connect(dsn, autocommit=True, options=OPTIONS) as conn:
        role = ProjectRole(conn, ALL)
        role.consumption.handler = Project(ALL, with_history=True)
        role.consumers = role.consumption.handler.consumers
        await role.start()
        batches = [updates[n : n + BATCH] for n in range(0, len(updates), BATCH)]
        for n in range(0, len(known), BATCH):
            await role.batch(known[n : n + BATCH])
        half, clock = len(batches) // 2, Clock(conn.info.backend_pid)
        whole: list[Spent] = []
        for batch in batches[:half]:
            began, served = time.process_time_ns(), clock.served()
            await role.batch(batch)
            clock.parts |= {"Python": time.process_time_ns() - began, "Postgres": clock.served() - served}
            whole.append(clock.each(len(batch)))
        conn.clock, conn.label = clock, named_statement
        by_part: list[Spent] = []
        for batch in batches[half:]:
            with clock.timing(PLACES), clock.part("rest"):
                async with conn.transaction():
                    await role.consumption.apply(conn, role.fetches(batch), False)
            by_part.append(clock.each(len(batch)))
    return least(whole), least(by_part)


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
