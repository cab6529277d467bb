"""`python -m tests.bench.decide_and_project`: what deciding and projecting cost a fact, in processor time, as JSON.

One process, a Postgres of its own, no Kafka: what decide leaves in the outbox is what project is given. Every other
batch runs as in the roles, in a pipeline; those between run statement by statement, so that each part has its own time.
"""

import gc
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import psycopg
import typer
import uvloop

import crm.state.folds
import streams.decide
from crm.adapters.postgres import history, outbox
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.state import Batch
from crm.engine import decide_batch
from crm.engine.workspaces import create_workspace
from crm.envelope import now
from crm.scalars import Id
from crm.settings import Settings
from crm.topics import DECIDED, JOURNAL, TOPICS
from projections import PROJECTIONS
from services.intake.fact_lines import parse_line
from services.intake.records import written
from services.intake.values import LineContext
from services.operations.object_types import command_of, define
from streams import project
from streams.decide import Decide
from streams.project import Project, ProjectionBatch
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Partition
from streams.runtime.loop import ConsumerLoop
from streams.runtime.role import COLLECT_AFTER
from streams.runtime.sessions import ASYNC_COMMIT_SESSION, SESSION
from tests.bench.against import compared
from tests.bench.open_api.lines import FIRST, LINES, ROUND, TYPE
from tests.bench.part_times import UNBOUNDED, Clock, Spent, TimedConnection, named_statement
from tests.support.records import Fetched, Record
from tests.support.servers import postgres_server
from tests.support.workload.facts import kafka_record, mixed_facts

SIZE = 500  # facts a batch
KNOWN = 1_500  # keys of each kind that is updated
OWNERS = ("olena@example.com", "ihor@example.com", "anna@example.com")
DECIDE = (
    (streams.decide, "read", "decode"),
    (decide_batch, "prefetch", "load state"),
    (decide_batch, "decided", "rules"),
    (crm.state.folds, "fold", "fold"),
    (outbox, "packed", "encode"),
    (outbox, "append", "outbox"),
    (Batch, "write", "store state"),
)
PROJECT = (
    (project, "decode", "decode"),
    (Project, "route", "route"),
    (ProjectionBatch, "fold", "fold"),
    (ProjectionBatch, "pack", "pack"),
    (ProjectionBatch, "load", "load rows"),
    (ProjectionBatch, "receive", "read rows"),
    (ProjectionBatch, "save", "send rows"),
    (ProjectionBatch, "changes", "notices"),
    (history, "keep", "history"),
    (checkpoints, "read", "checkpoints"),
    (checkpoints, "read_places", "checkpoints"),
    (checkpoints, "select_new", "checkpoints"),
    (checkpoints, "move", "checkpoints"),
)
FILES = (
    "tests/bench/decide_and_project.py",
    "tests/bench/against.py",
    "tests/bench/part_times.py",
    "tests/bench/open_api/lines.py",
)
COMPARED = "INSERT INTO core.compared VALUES (core.this_server())"
TAKE = "DELETE FROM core.outbox RETURNING partitions, firsts, records"


class Role:
    """A role over records that are at hand: its session, its loop and what it took."""

    def __init__(self, name: str, conn: TimedConnection, topics: Sequence[str], handler: Any, places: Any) -> None:
        self.name, self.conn, self.places = name, conn, places
        self.loop = ConsumerLoop(name, topics, handler, Settings())
        self.topics, self.consumers = topics, handler.consumers
        self.clock = Clock(conn.info.backend_pid)
        self.spent: Counter[str] = Counter()  # nanoseconds
        conn.label = named_statement

    async def start(self) -> None:
        partitions = [
            Partition(t.name, n) for t in TOPICS.values() if t.name in self.topics for n in range(t.partitions)
        ]
        await checkpoints.ensure(self.conn, self.consumers, partitions)

    async def pipelined(self, records: Sequence[Record]) -> None:
        """Applies a batch as the role does."""
        fetches = fetched(records)
        began, served = time.thread_time_ns(), self.clock.served()
        async with self.conn.pipeline(), self.conn.transaction():
            _, skipped = await self.loop.apply(self.conn, fetches, False)
        self.spent[f"{self.name}: Python"] += time.thread_time_ns() - began
        self.spent[f"{self.name}: Postgres"] += self.clock.served() - served
        assert not skipped

    async def by_part(self, records: Sequence[Record]) -> None:
        """Applies a batch statement by statement, and measures its parts."""
        fetches = fetched(records)
        self.conn.clock = self.clock
        there = [place for place in self.places if place[1] in vars(place[0])]  # another revision has other names
        with self.clock.timing(there), self.clock.part("rest"):
            async with self.conn.transaction():
                await self.loop.apply(self.conn, fetches, False)
        self.conn.clock = None


def fetched(records: Iterable[Record]) -> Any:
    by_partition: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        by_partition[record.topic, record.partition].append(record)
    return [Fetched(part) for part in by_partition.values()]


async def published(conn: TimedConnection) -> list[Record]:
    """Returns what waits in the outbox as records of the journal, and takes it out."""
    found = []
    for partitions, firsts, slices in await (await conn.execute(TAKE)).fetchall():
        for partition, first, packed in zip(partitions, firsts, slices, strict=True):
            for position, (stream, id, _, _, value) in enumerate(msgspec.msgpack.decode(packed), first):
                headers = [("ce_id", id.encode()), ("position", str(position).encode())]
                found.append(Record(value, position, partition, JOURNAL.name, headers, key=stream.encode()))
    return found


class Offsets(Counter[tuple[str, int]]):
    """Gives each record of an intake topic the next offset of its partition."""

    def record(self, topic: str, partition: int, value: bytes) -> Record:
        offset = self[topic, partition]
        self[topic, partition] += 1
        return Record(value, offset, partition, topic)


def mixture(workspace: Id, facts: int, offsets: Offsets) -> Iterator[Record]:
    for topic, partition, _, value in map(kafka_record, mixed_facts(workspace, facts)):
        yield offsets.record(topic, partition, value)


def updates(workspace: Id, number: int, offsets: Offsets) -> Iterator[Record]:
    """Yields a report of each known contact, deal and product, which says something new in each round."""
    context = LineContext(workspace, workspace, now())
    for n in range(KNOWN):
        for kind in ("contact", "deal", "product"):
            line = LINES[kind](n).encode().replace(ROUND, b"%d" % number)
            fact = parse_line(line, lambda: Id(str(uuid4())), context)
            yield offsets.record(TOPICS["facts"].name, n % TOPICS["facts"].partitions, written(fact, "").value or b"")


@asynccontextmanager
async def roles(dsn: str, workspace: Id) -> AsyncIterator[tuple[Role, Role]]:
    """Yields decide and project on a database, with a new workspace."""
    with psycopg.connect(dsn) as conn:
        conn.execute(COMPARED)
    await create_workspace(dsn, workspace, "bench", owners=OWNERS)
    async with (
        await TimedConnection.connect(dsn, autocommit=True, options=f"{SESSION} {UNBOUNDED}") as deciding,
        await TimedConnection.connect(dsn, autocommit=True, options=f"{ASYNC_COMMIT_SESSION} {UNBOUNDED}") as viewing,
    ):
        decide = Role("decide", deciding, [topic.name for topic in DECIDED], Decide(), DECIDE)
        view = Role("project", viewing, [JOURNAL.name], Project(PROJECTIONS.values(), with_history=True), PROJECT)
        await decide.start()
        await view.start()
        yield decide, view


def collect_seldom() -> None:
    """As the roles do."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def measure(dsn: str, facts: int) -> dict[str, dict[str, float]]:
    """Returns microseconds a fact, of the mixture and of updates of known records, by role and part."""
    workspace = Id(str(uuid4()))
    async with roles(dsn, workspace) as (decide, view):
        await define(decide.conn, command_of(workspace, TYPE))
        offsets, found = Offsets(), {}
        for name in ("mixture", "updates"):
            known = mixture(workspace, 2 * SIZE, offsets) if name == "mixture" else updates(workspace, FIRST, offsets)
            await both(decide, view, [*known], measured=False)
            if name == "mixture":
                todo = [*mixture(workspace, facts, offsets)]
            else:
                rounds = range(FIRST + 1, FIRST + 1 + -(-facts // (3 * KNOWN)))
                todo = [record for number in rounds for record in updates(workspace, number, offsets)]
            collect_seldom()
            found[name] = await both(decide, view, todo, measured=True)
    return found


async def both(decide: Role, view: Role, records: Sequence[Record], measured: bool) -> dict[str, float]:
    """Decides and projects records, batch after batch. Returns what a fact took, in microseconds."""
    facts: Counter[bool] = Counter()
    for n, at in enumerate(range(0, len(records), SIZE)):
        batch, whole = records[at : at + SIZE], not measured or n % 2 == 0
        facts[whole] += len(batch)
        for role in (decide, view):
            given = batch if role is decide else await published(view.conn)
            await (role.pipelined(given) if whole else role.by_part(given))
    found: dict[str, float] = {"together": round(sum((decide.spent + view.spent).values()) / facts[True] / 1000, 1)}
    for role in (decide, view):
        found |= {name: round(spent / facts[True] / 1000, 1) for name, spent in role.spent.items()}
        parts: Spent = role.clock.each(max(1, facts[False]))
        found |= {f"{role.name}, {part}": round(spent, 1) for part, spent in sorted(parts.items())}
        role.spent.clear()
    return found


def measured(facts: int) -> dict[str, dict[str, float]]:
    """Returns microseconds of processor time a fact by part, measured on a Postgres of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server may have a user of its own
        with postgres_server(Path(folder)) as dsn:
            migrate(dsn, PROJECTIONS.values())
            return uvloop.run(measure(dsn, facts))


def bench_facts(facts: int, against: str, runs: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Returns the parts of this revision; with `against`, of another one too, measured in turns."""
    settings = {"facts": facts, "batch": SIZE, "unit": "microseconds of processor time a fact"}
    command = f"crm bench facts --count {facts}" + (f" --against {against} --runs {runs}" if against else "")
    if not against:
        return {"command": command, "settings": settings, **measured(facts)}
    found = compared(against, FILES, "tests.bench.decide_and_project", [str(facts)], runs, report)
    return {"command": command, "settings": settings, **found}


def main(facts: Annotated[int, typer.Argument(help="Of each kind.")] = 9_000) -> None:
    """Prints the processor time of a fact by part, in microseconds."""
    print(json.dumps(measured(facts), indent=1))


if __name__ == "__main__":
    typer.run(main)
