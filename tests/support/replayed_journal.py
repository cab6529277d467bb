"""A journal of one test alone in Kafka, and read models that are behind it, level with it or wrong."""

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
from streams.rebuild.catch_up import follow
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.rebuild import Outcome, Plan, rebuild
from streams.rebuild.spec import declared
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Partition
from streams.runtime.loop import Consumption
from tests.bench.histories import SHOP, card
from tests.support.records import Fetched, connected


def cards(first: int, number: int) -> list[Event]:
    """Contacts with a deal each, their events one after another."""
    return [event for n in range(first, first + number) for event in card(named_id(SHOP, f"contact {n}"), n)]


class Replayed:
    """`names` are rebuilt from a topic of its own."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path) -> None:
        self.bootstrap, self.dsn, self.folder = bootstrap, dsn, folder
        self.topic = f"journal-{uuid4().hex[:8]}"
        self.next: Counter[int] = Counter()

    async def create(self) -> None:
        await create_missing(self.bootstrap, topics=[replace(JOURNAL, name=self.topic)])

    async def write(self, events: Iterable[Event], repeat: bool = False, compression: str | None = None) -> None:
        """As the relay does. `repeat`: once more, under the positions that they have."""
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
        """Raw records, at the next positions unless told."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True) as producer:
            for value in values:
                at = self.next[partition] if position is None else position
                headers = [("ce_id", b""), ("ce_type", b""), ("ce_source", b""), ("content-type", b"")]
                headers.append(("position", str(at).encode()))
                await producer.send_and_wait(self.topic, value, b"stream", partition=partition, headers=headers)
                self.next[partition] = at + 1

    async def project(self, names: Sequence[str] = ("deal", "contact", "timeline")) -> None:
        """The read tables are level with the journal, as the project role makes them."""
        projections = [PROJECTIONS[name] for name in names]
        until = await next_positions(self.bootstrap, self.topic, dict.fromkeys(range(JOURNAL.partitions), 0))
        async with await connected(self.dsn) as conn:
            begins = dict.fromkeys(until, Begin())
            at = await follow(conn, projections, self.bootstrap, self.topic, begins, until)
        await asyncio.to_thread(self.hand_over, projections, at)

    @contextlib.asynccontextmanager
    async def projecting(self, names: Sequence[str]) -> AsyncIterator[None]:
        """The project role's transactions on this topic, fetch by fetch."""
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
        role = Consumption("project", [self.topic], Project(projections), Settings())
        tps = [TopicPartition(self.topic, n) for n in range(JOURNAL.partitions)]
        kafka = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
        async with await connected(self.dsn) as conn, kafka:
            await checkpoints.ensure(conn, role.handler.consumers, [Partition(*tp) for tp in tps])
            kafka.assign(tps)
            await kafka.seek_to_beginning(*tps)
            views = asyncio.create_task(showing.follow(self.dsn, projections, self.bootstrap, self.topic))
            try:
                while not views.done():
                    fetches: Any = [Fetched(records) for records in (await kafka.getmany(timeout_ms=200)).values()]
                    if fetches:
                        async with conn.pipeline(), conn.transaction():
                            _, skipped = await role.apply(conn, fetches, False)
                        places, _ = await checkpoints.read(conn, role.handler.consumers, skipped)
                        for partition, offset in checkpoints.lowest(places).items():
                            kafka.seek(TopicPartition(*partition), offset)
                views.result()
            finally:
                views.cancel()

    async def projected(self, consumers: Sequence[str] = ()) -> None:
        """Waits until every consumer is past all that was written; or only these."""

        def wanted(name: str) -> bool:
            return name in consumers if consumers else not name.endswith(" before")

        async def behind() -> str | None:
            query = f"SELECT consumer, sum(position + 1) FROM core.checkpoint WHERE topic = '{self.topic}' GROUP BY 1"
            at = dict(await asyncio.to_thread(self.do, query))
            late = {name: n for name, n in at.items() if n < self.next.total() and wanted(name)}
            return None if at and not late else f"{late or at} of {self.next.total()}"

        await until(behind, 180)

    def hand_over(self, projections: Sequence[Projection[Any]], at: dict[int, Begin]) -> None:
        with psycopg.connect(self.dsn) as conn:
            for projection in projections:
                swapping.hand_over(conn, projection.table, self.topic, at)

    def plan(self, *names: str, **given: Any) -> Plan:
        return Plan(self.bootstrap, self.dsn, names, topic=self.topic, **given)

    async def rebuild(self, *names: str, **given: Any) -> Outcome:
        return await rebuild(self.plan(*names, **given))

    def raise_version(self, name: str, column: str = "", value: str = "") -> Projection[Any]:
        """A file with the next version of a projection: one column more, which it is given when a row is made."""
        text = Path(str(import_module(f"projections.{name}").__file__)).read_text()
        text = re.sub(r"version=(\d+)", lambda found: f"version={int(found[1]) + 1}", text)
        if column:
            text = text.replace("    touched_at: Micros\n", f"    touched_at: Micros\n    {column}\n")
            text = re.sub(r"(touched_at=event\.meta\.occurred_at,)\n", rf"\1\n        {value},\n", text)
        return self.file(name, text)

    def file(self, name: str, text: str) -> Projection[Any]:
        path = self.folder / f"{name}.py"
        path.write_text(text)
        return declared(str(path))[name]

    @contextlib.asynccontextmanager
    async def process(self, *names: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A rebuild in a process of its own."""
        program = (
            "import asyncio, sys; from streams.rebuild.rebuild import Plan, rebuild; "
            "asyncio.run(rebuild(Plan(sys.argv[1], sys.argv[2], tuple(sys.argv[4:]), topic=sys.argv[3])))"
        )
        words = (self.bootstrap, self.dsn, self.topic, *names)
        async with child(sys.executable, "-c", program, *words, stderr=asyncio.subprocess.DEVNULL) as process:
            yield process

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """As a reader sees them."""
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(f"SELECT * FROM read.{name} ORDER BY 1, 2".encode()).fetchall()

    def do(self, *statements: str) -> list[tuple[Any, ...]]:
        """Gives what the last one gives."""
        with psycopg.connect(self.dsn) as conn:
            for statement in statements:
                cursor = conn.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
