"""Facts of the open API through Kafka and the decisions: in order, once, and without losing content."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import msgpack
from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.adapters.kafka.producer import KafkaLog
from crm.contract.codec import decode, encode
from crm.decisions.delivery import OTHER_VERSION
from crm.engine.workspaces import create_workspace
from crm.envelope import Event, named_id
from crm.events import DealOpened, FactQuarantined
from crm.facts import TokenDeclared
from crm.scalars import Id
from crm.topics import DECIDED
from services.intake import cache_warmup
from services.stack.process import until
from streams.decide import Decide
from tests.support.facts_suite import CALL, FORM, lines
from tests.support.intake_server import TOKENS, WRITER, IntakeServer, meta
from tests.support.records import open_connection

PAIRS = 300
SLICES = "SELECT s.packed FROM core.outbox AS o, unnest(o.records) AS s (packed) ORDER BY o.id"


@pytest.fixture(scope="module")
def intake_log(kafka_bootstrap: str) -> Iterator[tuple[KafkaLog, asyncio.Runner]]:
    with asyncio.Runner() as runner:
        log = KafkaLog(kafka_bootstrap, [topic.name for topic in DECIDED])
        runner.run(log.__aenter__())

        async def missing() -> str | None:
            return log.missing()

        runner.run(until(missing, 120))
        yield log, runner
        runner.run(log.__aexit__())


class Shop:
    """A workspace of one test: `tell` is an intake process, `decided` what decide makes of it all."""

    def __init__(self, bootstrap: str, dsn: str, log: KafkaLog, runner: asyncio.Runner) -> None:
        self.bootstrap, self.dsn, self.log, self.runner = bootstrap, dsn, log, runner
        self.workspace = Id(str(uuid4()))
        runner.run(create_workspace(dsn, self.workspace, "Shop", owners=("anna",)))
        self.starts = runner.run(self.ends())

    def intake(self) -> IntakeServer:
        """A process of its own: it remembers nothing of the others."""
        server = IntakeServer(self.log, self.runner.run, list)
        token = TOKENS[WRITER]
        (sha256,) = [hash for id, hash in server.access.hashes.items() if id == token]
        ours = TokenDeclared(replace(meta(token), workspace=self.workspace), token, "t", sha256, ("write",))
        server.access.take(token.encode(), encode(ours))
        return server

    async def ends(self) -> dict[TopicPartition, int]:
        partitions = [TopicPartition(topic.name, n) for topic in DECIDED for n in range(topic.partitions)]
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            found: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return found

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[tuple[Any, AsyncConnection]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
        async with consumer, await open_connection(self.dsn) as conn:
            consumer.assign(list(self.starts))
            for partition, offset in self.starts.items():
                consumer.seek(partition, offset)
            yield consumer, conn

    def decided(self) -> Sequence[Event]:
        """All facts sent since, as a decide role that was down reads them: in the order that Kafka returns."""

        async def run() -> list[Event]:
            handler, ends = Decide(), await self.ends()
            async with self.deciding() as (consumer, conn):
                while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                    found = await consumer.getmany(timeout_ms=100, max_records=200)
                    if records := [record for those in found.values() for record in those]:
                        async with conn.pipeline(), conn.transaction():
                            await handler.handle(conn, {"decide": records}, False)
                rows = await (await conn.execute(SLICES)).fetchall()
                self.starts = ends
            events = [decode(packed[-1]) for (slice,) in rows for packed in msgpack.decode(slice)]
            return [event for event in events if event.meta.workspace == self.workspace]

        return self.runner.run(run())


@pytest.fixture
def shop(kafka_bootstrap: str, fresh_database_url: str, intake_log: tuple[KafkaLog, asyncio.Runner]) -> Shop:
    return Shop(kafka_bootstrap, fresh_database_url, *intake_log)


def statuses(server: IntakeServer, *facts: Any) -> list[str]:
    answer = server.stream(lines(*facts), "application/x-ndjson")
    return [json.loads(line)["status"] for line in answer.text.splitlines()]


def test_a_back_fill_of_forms_and_calls_gives_what_live_traffic_gives(shop: Shop) -> None:
    """4,000 pairs gave 6,761 deals: calls were decided before the forms that they followed, and opened deals too."""
    server, facts = shop.intake(), []
    for n in range(PAIRS):
        phone, sender = f"+38067{3_141_000 + 7 * n}", f"person {n}"
        facts.append({**FORM, "phones": [phone], "emails": [], "fields": {}, "sender": sender, "id": f"form {n}"})
        facts.append({**CALL, "phone": phone, "call": f"c{n}", "sender": sender, "id": f"call {n}"})
    assert statuses(server, *facts) == ["accepted"] * 2 * PAIRS
    assert sum(isinstance(event, DealOpened) for event in shop.decided()) == PAIRS


def test_another_content_that_another_process_took_waits_in_quarantine(shop: Shop) -> None:
    """The second version was answered `accepted` and dropped; a process alone cannot know what another one took."""
    first, other = {**FORM, "id": "order 1"}, {**FORM, "id": "order 1", "name": "Тарас"}
    assert statuses(shop.intake(), first, first, other) == ["accepted", "repeated", "conflict"]
    assert statuses(shop.intake(), other, first) == ["accepted", "conflict"]
    assert statuses(shop.intake(), first) == ["accepted"]
    assert statuses(shop.intake(), other) == ["accepted"]
    events = shop.decided()
    (deal,) = [event for event in events if isinstance(event, DealOpened)]
    (aside,) = [event for event in events if isinstance(event, FactQuarantined)]
    assert deal.meta.cause == named_id(TOKENS[WRITER], "id/order 1")
    assert (aside.connector, aside.reason) == ("FormSubmitted", OTHER_VERSION)
    assert "Тарас" in aside.excerpt
    assert statuses(shop.intake(), other) == ["accepted"]
    assert len(shop.decided()) == len(events)


def test_a_process_that_starts_again_knows_the_last_facts(shop: Shop) -> None:
    """It took other content under an id that it had answered `accepted` to before it was started again."""
    facts = {**FORM, "id": f"order {shop.workspace}"}
    assert statuses(shop.intake(), facts) == ["accepted"]
    again = shop.intake()
    shop.runner.run(cache_warmup.warm_up(shop.bootstrap, again.app.bulk.digests))
    other, another = {**facts, "name": "Тарас"}, {**facts, "id": f"order 2 {shop.workspace}"}
    assert statuses(again, facts, other, another) == ["repeated", "conflict", "accepted"]
