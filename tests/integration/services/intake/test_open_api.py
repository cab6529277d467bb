"""Facts of the open API through Kafka and the decisions: in order, once, and without losing content."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import msgpack
from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.adapters.kafka.producer import KafkaLog
from crm.contract.codec import decode, encode
from crm.decisions import RULES
from crm.decisions.delivery import OTHER_VERSION
from crm.engine.workspaces import create_workspace
from crm.envelope import Event, named_id
from crm.events import DealOpened, FactQuarantined
from crm.facts import TokenDeclared
from crm.scalars import Id
from crm.topics import DECIDED, INTAKE
from crm.versions import OPEN_API
from services.intake import cache_warmup
from services.stack.process import until
from streams import takeover
from streams.decide import Decide
from tests.support.facts_suite import FORM, lines
from tests.support.intake_server import TOKENS, WRITER, IntakeServer, meta
from tests.support.records import open_connection
from tests.support.workload.pairs import pair_facts, pair_lines

PAIRS = 300
OPEN = INTAKE["facts"].name
CHECKPOINT = "INSERT INTO core.checkpoint (consumer, topic, partition, next_offset) VALUES ('decide', %s, %s, %s)"
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
    async def deciding(self, partitions: Sequence[TopicPartition]) -> AsyncIterator[tuple[Any, AsyncConnection]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=20)
        async with consumer, await open_connection(self.dsn) as conn:
            consumer.assign(list(partitions))
            for partition in partitions:
                consumer.seek(partition, self.starts[partition])
            yield consumer, conn

    async def decide(self, partitions: Sequence[TopicPartition], ends: dict[TopicPartition, int], dies: int) -> None:
        """One replica of the role. `dies`: transactions that are lost, with a new process after each."""
        handler, died = Decide(), 0
        async with self.deciding(partitions) as (consumer, conn):
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                found = await consumer.getmany(timeout_ms=100, max_records=200)
                records = [record for those in found.values() for record in those]
                try:
                    async with conn.pipeline(), conn.transaction():
                        await handler.handle(conn, {"decide": records}, False)
                        if records and died < dies:
                            raise ConnectionError("killed")
                except (ConnectionError, psycopg.errors.DeadlockDetected):
                    handler, died = Decide(), died + 1
                    for partition, those in found.items():
                        consumer.seek(partition, those[0].offset)

    def decided(self, replicas: int = 1, dies: int = 0) -> Sequence[Event]:
        """All facts sent since, as decide roles that were down read them: in the order that Kafka returns."""

        async def run() -> list[Event]:
            ends = await self.ends()
            shares = [list(ends)[number::replicas] for number in range(replicas)]
            await asyncio.gather(*(self.decide(share, ends, dies) for share in shares))
            async with await open_connection(self.dsn) as conn:
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


def sources(events: Sequence[Event]) -> list[str]:
    return [event.source for event in events if isinstance(event, DealOpened)]


@pytest.mark.parametrize(("named", "replicas", "dies"), [(True, 1, 0), (False, 1, 0), (True, 2, 0), (True, 2, 2)])
def test_a_backfill_of_forms_and_calls_gives_what_live_traffic_gives(
    shop: Shop, named: bool, replicas: int, dies: int
) -> None:
    """4,000 pairs gave 6,761 deals: calls were decided before the forms that they followed, and opened deals too."""
    answer = shop.intake().stream(b"\n".join(pair_lines(PAIRS, named)), "application/x-ndjson")
    assert answer.text.count('"accepted"') == 2 * PAIRS
    assert sources(shop.decided(replicas, dies)) == ["form"] * PAIRS


@pytest.mark.parametrize(("replicas", "dies"), [(1, 0), (2, 2)])
def test_so_does_one_that_a_client_writes_straight_to_kafka(shop: Shop, replicas: int, dies: int) -> None:
    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=shop.bootstrap, enable_idempotence=True) as producer:
            for fact in pair_facts(shop.workspace, PAIRS):
                await producer.send(OPEN, encode(fact), fact.meta.stream.encode())
            await producer.flush()

    shop.runner.run(write())
    assert sources(shop.decided(replicas, dies)) == ["form"] * PAIRS


def test_what_an_earlier_release_left_is_decided_in_the_order_of_its_senders(shop: Shop) -> None:
    """Forms and calls lay on topics of their own: 4,000 pairs that waited at an upgrade gave 7,308 deals."""

    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=shop.bootstrap, enable_idempotence=True) as producer:
            for fact in pair_facts(shop.workspace, PAIRS, OPEN_API):
                topic = INTAKE[RULES[type(fact)].family].name
                await producer.send(topic, encode(fact), fact.meta.stream.encode())
            await producer.flush()
        async with await open_connection(shop.dsn) as conn:
            places = [(tp.topic, tp.partition, offset) for tp, offset in shop.starts.items() if tp.topic != OPEN]
            await conn.cursor().executemany(CHECKPOINT, places)

    async def start() -> int:
        return await takeover.ensure(shop.bootstrap, shop.dsn)

    shop.runner.run(write())
    assert [shop.runner.run(start()) for _ in range(2)] == [2 * PAIRS] * 2  # the second finds that all was seen
    assert sources(shop.decided(replicas=2)) == ["form"] * PAIRS


def test_a_role_that_has_read_the_open_apis_topic_takes_nothing_over(shop: Shop) -> None:
    async def start() -> int:
        async with await open_connection(shop.dsn) as conn:
            await conn.execute(CHECKPOINT, [OPEN, 0, 1])
        return await takeover.ensure("127.0.0.1:1", shop.dsn)

    assert shop.runner.run(start()) == 0


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
