"""A journal in Kafka for one test, and read models that lag, are current or are wrong."""

import asyncio
import contextlib
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from crm.adapters.kafka.journal_log import envelope, next_positions
from crm.adapters.postgres.side_table import SideTable
from crm.adapters.processes import child
from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.projection import Projection
from crm.settings import Settings
from crm.topics import JOURNAL, journal_partition
from projections import PROJECTIONS
from services.stack.process import until
from services.stack.topics import create_missing
from streams.cutover import watch as showing
from streams.project import Project
from streams.rebuild import swap as swapping
from streams.rebuild.catch_up import fold_range
from streams.rebuild.projection_file import projections_in
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.rebuild import RebuildPlan, RebuildResult, rebuild
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Partition
from streams.runtime.loop import ConsumerLoop
from tests.support.records import Fetched, open_connection
from tests.support.workload.journal import SHOP, card


def cards(first: int, number: int) -> list[Event]:
    """Returns the events of contacts with one deal each, card after card."""
    return [event for n in range(first, first + number) for event in card(named_id(SHOP, f"contact {n}"), n)]


class RebuildSetup:
    """A topic, a database and a folder for rebuilds."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path) -> None:
        self.bootstrap, self.dsn, self.folder = bootstrap, dsn, folder
        self.topic = f"journal-{uuid4().hex[:8]}"
        self.next: Counter[int] = Counter()

    async def create(self) -> None:
        await create_missing(self.bootstrap, topics=[replace(JOURNAL, name=self.topic)])

    async def write(self, events: Iterable[Event], repeat: bool = False, compression: str | None = None) -> None:
        """Writes as the relay does. `repeat`: writes the events again under the same positions."""
        at = self.next.copy()
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, compression_type=compression, enable_idempotence=True
        ) as producer:
            for event in events:
                value, meta, partition = encode(event), event.meta, journal_partition(event.meta.stream)
                headers = envelope(meta.id, meta.source, meta.trace, value, at[partition])
                await producer.send(self.topic, value, meta.stream.encode(), partition=partition, headers=headers)
                at[partition] += 1
        if not repeat:
            self.next = at

    async def write_values(self, partition: int, *values: bytes, position: int | None = None) -> None:
        """Writes raw records at the next positions, or at the given one."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True) as producer:
            for value in values:
                at = self.next[partition] if position is None else position
                headers = [("ce_id", b""), ("ce_type", b""), ("ce_source", b""), ("content-type", b"")]
                headers.append(("position", str(at).encode()))
                await producer.send_and_wait(self.topic, value, b"stream", partition=partition, headers=headers)
                self.next[partition] = at + 1

    async def project(self, names: Sequence[str] = ("deal", "contact", "timeline")) -> None:
        """Brings the read tables up to the journal's end, as the project role does."""
        projections = [PROJECTIONS[name] for name in names]
        until = await next_positions(self.bootstrap, self.topic, dict.fromkeys(range(JOURNAL.partitions), 0))
        async with await open_connection(self.dsn) as conn:
            begins = dict.fromkeys(until, ReadPosition())
            at = await fold_range(conn, projections, self.bootstrap, self.topic, begins, until)
        await asyncio.to_thread(self.hand_over, projections, at)

    @contextlib.asynccontextmanager
    async def projecting(self, names: Sequence[str]) -> AsyncIterator[None]:
        """Runs the project role's transactions on this topic, fetch by fetch."""
        task = asyncio.create_task(self.work(names))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def work(self, names: Sequence[str]) -> None:
        projections = [PROJECTIONS[name] for name in names]
        role = ConsumerLoop("project", [self.topic], Project(projections), Settings())
        tps = [TopicPartition(self.topic, n) for n in range(JOURNAL.partitions)]
        kafka = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
        async with await open_connection(self.dsn) as conn, kafka:
            await checkpoints.ensure(conn, role.handler.consumers, [Partition(*tp) for tp in tps])
            kafka.assign(tps)
            await kafka.seek_to_beginning(*tps)
            views = asyncio.create_task(showing.cut_over_when_ready(self.dsn, projections, self.bootstrap, self.topic))
            try:
                while not views.done():
                    fetches: Any = [Fetched(records) for records in (await kafka.getmany(timeout_ms=200)).values()]
                    if fetches:
                        async with conn.pipeline(), conn.transaction():
                            _, skipped = await role.apply(conn, fetches, False)
                        places, _ = await checkpoints.read(conn, role.handler.consumers, skipped)
                        for partition, offset in checkpoints.lowest_offsets(places).items():
                            kafka.seek(TopicPartition(*partition), offset)
                views.result()
            finally:
                views.cancel()

    async def projected(self, consumers: Sequence[str] = ()) -> None:
        """Waits until all consumers, or these, have processed everything written."""

        def wanted(name: str) -> bool:
            return name in consumers if consumers else not name.endswith(" before")

        async def behind() -> str | None:
            query = f"SELECT consumer, sum(position + 1) FROM core.checkpoint WHERE topic = '{self.topic}' GROUP BY 1"
            at = dict(await asyncio.to_thread(self.do, query))
            late = {name: n for name, n in at.items() if n < self.next.total() and wanted(name)}
            return None if at and not late else f"{late or at} of {self.next.total()}"

        await until(behind, 180)

    def hand_over(self, projections: Sequence[Projection[Any]], at: dict[int, ReadPosition]) -> None:
        with psycopg.connect(self.dsn) as conn:
            for projection in projections:
                swapping.set_checkpoints(conn, projection.table, self.topic, at)

    def plan(self, *names: str, **given: Any) -> RebuildPlan:
        return RebuildPlan(self.bootstrap, self.dsn, names, topic=self.topic, **given)

    async def rebuild(self, *names: str, **given: Any) -> RebuildResult:
        return await rebuild(self.plan(*names, **given))

    def raise_version(self, name: str, column: str = "", value: str = "") -> Projection[Any]:
        """Writes the next version of a projection, with one more column that is set when a row is created."""
        text = Path(str(import_module(f"projections.{name}").__file__)).read_text()
        text = re.sub(r"version=(\d+)", lambda found: f"version={int(found[1]) + 1}", text)
        if column:
            text = text.replace("    touched_at: Micros\n", f"    touched_at: Micros\n    {column}\n")
            text = re.sub(r"(touched_at=event\.meta\.occurred_at,)\n", rf"\1\n        {value},\n", text)
        return self.file(name, text)

    async def bring(self, side: SideTable, before: Projection[Any], newer: Projection[Any]) -> None:
        """Has `newer` bring a side table to an installation that has none, at the moment at which it is read."""
        missing, name = f"SELECT to_regclass('{side.view(newer.name)}') IS NULL", newer.name
        await asyncio.to_thread(self.do, f"DROP TABLE {side.table(before)} CASCADE")
        outcome = await self.rebuild(name, file=str(self.folder / f"{name}.py"), patience=0.0)
        assert outcome.waiting == (name,)
        assert self.do(missing) == [(True,)]
        async with self.projecting([name]):
            while self.do(missing) == [(True,)]:
                await asyncio.wait([asyncio.create_task(self.projected([newer.table]))])

    def file(self, name: str, text: str) -> Projection[Any]:
        path = self.folder / f"{name}.py"
        path.write_text(text)
        return projections_in(str(path))[name]

    @contextlib.asynccontextmanager
    async def process(self, *names: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Runs a rebuild in a process of its own."""
        program = (
            "import asyncio, sys; from streams.rebuild.rebuild import RebuildPlan, rebuild; "
            "asyncio.run(rebuild(RebuildPlan(sys.argv[1], sys.argv[2], tuple(sys.argv[4:]), topic=sys.argv[3])))"
        )
        words = (self.bootstrap, self.dsn, self.topic, *names)
        async with child(sys.executable, "-c", program, *words, stderr=asyncio.subprocess.DEVNULL) as process:
            yield process

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """Returns the rows of the view."""
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(f"SELECT * FROM read.{name} ORDER BY 1, 2".encode()).fetchall()

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        """Executes statements and returns the last one's rows."""
        with psycopg.connect(self.dsn) as conn:
            for statement in statements:
                cursor = conn.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
