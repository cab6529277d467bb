"""The suites of the intake on a real Kafka, and what becomes of them when its broker is killed."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.kafka.producer import KafkaLog
from crm.log import Record
from crm.topics import INTAKE, QUARANTINE
from services.stack import kafka_files
from services.stack.kafka import Kafka
from services.stack.ports import any_free
from services.stack.process import Process, until
from services.stack.topics import create_missing
from tests.support.deliveries_suite import DeliveriesSuite
from tests.support.fact_lines_suite import FactLinesSuite
from tests.support.facts_suite import CALL, FactsSuite, lines
from tests.support.intake_server import IntakeServer
from tests.support.timeouts import TIMEOUT

TOPICS = [topic.name for topic in (*INTAKE.values(), QUARANTINE)]


class Tail:
    """What was written to the intake topics since it was made."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.starts: dict[TopicPartition, int] = {}

    async def begin(self) -> None:
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            self.starts = await consumer.end_offsets(await partitions(consumer))

    async def records(self) -> list[Record]:
        found: list[Record] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, fetch_max_wait_ms=20) as consumer:
            ends = await consumer.end_offsets(list(self.starts))
            grown = [partition for partition, end in ends.items() if end > self.starts[partition]]
            if not grown:
                return []
            consumer.assign(grown)
            for partition in grown:
                consumer.seek(partition, self.starts[partition])
            while any([await consumer.position(partition) < ends[partition] for partition in grown]):
                for batch in (await consumer.getmany(timeout_ms=1000)).values():
                    found += [Record(r.topic, r.key, r.value, r.headers) for r in batch]
        return found


async def partitions(consumer: AIOKafkaConsumer) -> list[TopicPartition]:
    await consumer._client.set_topics(TOPICS)
    return [TopicPartition(topic, number) for topic in TOPICS for number in consumer.partitions_for_topic(topic)]


async def connected(log: KafkaLog) -> None:
    async def missing() -> str | None:
        return log.missing()

    await until(missing, 120)


@pytest.fixture(scope="module")
def intake_log(kafka_bootstrap: str) -> Iterator[tuple[KafkaLog, asyncio.Runner]]:
    with asyncio.Runner() as runner:
        log = KafkaLog(kafka_bootstrap, TOPICS, timeout=TIMEOUT)
        runner.run(log.__aenter__())
        runner.run(connected(log))
        yield log, runner
        runner.run(log.__aexit__())


@pytest.fixture
def server(kafka_bootstrap: str, intake_log: tuple[KafkaLog, asyncio.Runner]) -> IntakeServer:
    log, runner = intake_log
    tail = Tail(kafka_bootstrap)
    runner.run(tail.begin())
    return IntakeServer(log, runner.run, lambda: runner.run(tail.records()))


class TestDeliveriesOnKafka(DeliveriesSuite):
    pass


class TestFactsOnKafka(FactsSuite):
    pass


class TestFactLinesOnKafka(FactLinesSuite):
    pass


class Broker:
    """A broker of this test's own, to be killed and brought back with its data."""

    def __init__(self, data: Path) -> None:
        jars = kafka_files.jars(print)
        self.kafka = Kafka(data, any_free(), jars)
        self.process: Process | None = None

    async def up(self) -> None:
        self.process = self.kafka.start()
        await until(self.kafka.ready, 180)

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def test_while_the_broker_is_dead_nothing_is_acknowledged_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka")
    with asyncio.Runner() as runner:
        log = KafkaLog(broker.kafka.bootstrap, TOPICS, timeout=1.0, flush_seconds=1.0)
        runner.run(log.__aenter__())
        tail = Tail(broker.kafka.bootstrap)
        server = IntakeServer(log, runner.run, lambda: runner.run(tail.records()))
        try:
            reply = server.post(b"key=early")  # nobody has started Kafka yet
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")

            runner.run(broker.up())
            runner.run(create_missing(broker.kafka.bootstrap))
            runner.run(tail.begin())
            runner.run(connected(log))
            log.timeout = TIMEOUT
            assert server.post(b"key=before").status_code == 200

            broker.kill()
            log.timeout = 1.0
            answers = [server.post(b"key=during%d" % n) for n in range(3)]
            answers.append(server.stream(lines(CALL, CALL)))
            assert [(a.status_code, a.headers["retry-after"]) for a in answers] == [(503, "5")] * 4
            assert server.send("GET", "/readyz").status_code == 503

            runner.run(broker.up())
            runner.run(connected(log))
            log.timeout = TIMEOUT
            assert server.post(b"key=during0").status_code == 200  # the vendor's repeat
            assert server.post(b"key=after").status_code == 200
            kept = {fact.raw.body for fact in server.facts}
            assert {b"key=before", b"key=during0", b"key=after"} <= kept
            assert b"key=early" not in kept
            assert log.pending == 0
        finally:
            runner.run(log.__aexit__())
            broker.kill()
