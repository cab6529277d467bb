"""Three brokers: every partition lies on all of them, and what was acknowledged outlives any one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from crm.topics import INTAKE, TOPICS
from services.stack import kafka, topics
from services.stack.process import ended, stop, until
from tests.chaos.brokers import COPIES, Broker, alive, brokers
from tests.support.servers import IN_CONTAINERS, PATIENCE

FORMS = INTAKE["forms"].name
RECORDS = 300  # of each third: before the broker dies, while it is dead, and after it has come back

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="it kills brokers, and starts embedded ones for that")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[list[Broker]]:
    cluster = brokers(folder, await kafka.prepare(print))
    for broker in cluster:
        broker.session_ms = 10_000  # on a busy machine it is late, not dead
        broker.start()
    try:
        await asyncio.gather(*(until(broker.ready, PATIENCE) for broker in cluster))
        yield cluster
    finally:
        for broker in cluster:
            assert broker.process
            await stop(broker.process, broker.stop_by, broker.patience)


async def partitions(bootstrap: str) -> dict[tuple[str, int], tuple[int, set[int]]]:
    """Returns the leader and the nodes of each partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(list(TOPICS[key].name for key in TOPICS))
        return {
            (topic["topic"], one["partition"]): (one["leader"], set(one["replicas"]))
            for topic in described
            for one in topic["partitions"]
        }
    finally:
        await admin.close()


async def send(producer: AIOKafkaProducer, values: range) -> None:
    """Returns when all are acknowledged."""
    parts = INTAKE["forms"].partitions
    sent = [await producer.send(FORMS, b"%d" % value, partition=value % parts) for value in values]
    await asyncio.gather(*sent)


async def values(bootstrap: str) -> list[int]:
    """Returns everything that lies in the topic, in order of the values."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        parts = [TopicPartition(FORMS, n) for n in range(INTAKE["forms"].partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        found: list[int] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [int(record.value) for record in records]
        return sorted(found)


async def loses_a_broker(folder: Path) -> None:
    async with running(folder) as cluster:
        together = ",".join(broker.bootstrap for broker in cluster)
        created = await topics.create_missing(together, COPIES)
        assert await topics.unknown_to_a_broker(together, created) is None
        assert "does not know the topics nowhere" in str(await topics.unknown_to_a_broker(together, ["nowhere"]))
        laid = await partitions(together)
        assert {nodes == {1, 2, 3} for _, nodes in laid.values()} == {True}
        first = laid[FORMS, 0][0]
        killed, others = cluster[first - 1], [broker for broker in cluster if broker.node != first]
        async with AIOKafkaProducer(bootstrap_servers=together, acks="all", enable_idempotence=True) as producer:
            await send(producer, range(RECORDS))
            assert killed.process
            killed.process.kill()
            await ended(killed.process)
            await send(producer, range(RECORDS, 2 * RECORDS))
            assert await alive(others[0].bootstrap) == {broker.node for broker in others}
            assert (await partitions(others[0].bootstrap))[FORMS, 0][0] != first
            killed.start()
            await until(killed.ready, PATIENCE)
            await send(producer, range(2 * RECORDS, 3 * RECORDS))
        assert await values(together) == list(range(3 * RECORDS))


def test_what_was_acknowledged_outlives_a_broker_and_counts_once(tmp_path: Path) -> None:
    asyncio.run(loses_a_broker(tmp_path))
