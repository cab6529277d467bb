"""A workspace on real Kafka and Postgres with decide and the quarantine projection."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import msgpack
from psycopg import AsyncConnection
from typer.testing import CliRunner

from crm.adapters.kafka.producer import KafkaLog
from crm.contract.codec import decode
from crm.engine import decide_batch as deciding
from crm.engine.workspaces import create_workspace
from crm.envelope import Event
from crm.log import Record
from crm.scalars import Id
from crm.topics import DECIDED
from projections.quarantine import quarantine
from services.cli import app
from services.operations.quarantine.session import TOPICS
from services.stack.access import declare_connection
from services.stack.process import until
from streams.decide import Decide
from streams.project import ProjectionBatch
from tests.support.records import open_connection
from tests.support.timeouts import TIMEOUT

NEWS = """
SELECT o.id, s.packed FROM core.outbox AS o, unnest(o.partitions, o.firsts, o.records) AS s (partition, first, packed)
WHERE o.id > %s ORDER BY o.id, s.partition"""


class QuarantineSetup:
    """A workspace with one form connection; `journal` has its decided events."""

    def __init__(self, bootstrap: str, dsn: str) -> None:
        self.bootstrap, self.dsn = bootstrap, dsn
        self.workspace = Id(str(uuid4()))
        self.journal: list[Event] = []
        self.ready, self.over, self.outbox_id = threading.Event(), threading.Event(), 0
        self.thread = threading.Thread(target=lambda: asyncio.run(self.decide()))
        asyncio.run(create_workspace(dsn, self.workspace, "Shop", owners=("anna",)))
        self.connection = asyncio.run(declare_connection(bootstrap, self.workspace, "form", "form"))

    def __enter__(self) -> "QuarantineSetup":
        self.thread.start()
        assert self.ready.wait(TIMEOUT)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(TIMEOUT)

    async def decide(self) -> None:
        """Processes new facts as the roles decide, relay and project do."""
        handler = Decide()
        partitions = [TopicPartition(topic.name, n) for topic in DECIDED for n in range(topic.partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
        async with consumer, await open_connection(self.dsn) as conn:
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            self.ready.set()
            while not self.over.is_set():
                found = await consumer.getmany(timeout_ms=20)
                records = [record for those in found.values() for record in those]
                if records:
                    async with conn.pipeline(), conn.transaction():
                        await handler.handle(conn, {"decide": records}, False)
                    await self.project(conn)

    async def project(self, conn: AsyncConnection) -> None:
        rows = await (await conn.execute(NEWS, [self.outbox_id])).fetchall()
        events = [decode(packed[-1]) for _, slices in rows for packed in msgpack.decode(slices)]
        folding = ProjectionBatch(quarantine, events)
        async with conn.transaction():
            await folding.receive(await folding.load(conn))
            folding.fold()
            await folding.save(conn)
        self.outbox_id = max([self.outbox_id, *(id for id, _ in rows)])
        self.journal += events

    def send(self, *records: Record) -> None:
        async def sent() -> None:
            async with KafkaLog(self.bootstrap, TOPICS, timeout=TIMEOUT) as log:
                await until(self.no_answer(log), TIMEOUT)
                for record in records:
                    await log.send(record)

        asyncio.run(sent())

    def no_answer(self, log: KafkaLog) -> Callable[[], Any]:
        async def missing() -> str | None:
            return log.missing()

        return missing

    def wait_for(self, count: int, status: str = "waiting") -> list[dict[str, Any]]:
        """Waits for `count` entries of this status and returns them."""
        deadline = time.monotonic() + TIMEOUT
        while len(found := self.entries(status)) != count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} are {status}"
        return found

    def entries(self, status: str = "all") -> list[dict[str, Any]]:
        found = self.crm("list", "--status", status, "--workspace", self.workspace, "--json")
        return list(json.loads(found.stdout))

    def crm(self, *arguments: str) -> Any:
        said = CliRunner().invoke(app, ["quarantine", *arguments])
        if said.stderr:
            print(said.stderr)  # shown when the test fails
        return said

    def every(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.journal if isinstance(event, kind)]


def point_cli_at(monkeypatch: pytest.MonkeyPatch, server: QuarantineSetup) -> None:
    """Points the command line at this setup. Decide must not log to its standard output."""
    monkeypatch.setattr(deciding, "log", structlog.wrap_logger(structlog.ReturnLogger(), processors=[]))
    monkeypatch.setenv("KAFKA_BOOTSTRAP", server.bootstrap)
    monkeypatch.setenv("DATABASE_URL", server.dsn)
