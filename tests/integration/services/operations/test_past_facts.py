"""Deliveries that Kafka no longer has are read again out of an archive, or it is said that nobody has them."""

import asyncio
from dataclasses import replace as changed
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from crm.adapters.archive.container import ArchivedRecord
from crm.contract.codec import encode
from crm.errors import Broken
from crm.scalars import Micros
from crm.topics import INTAKE
from services.operations.reparse.past_facts import past_facts
from tests.support.archives import write
from tests.support.scenarios import CONNECTION, NOON, form

FORMS = [form(str(n), NOON + n) for n in range(5)]


def test_what_kafka_no_longer_has_is_read_from_an_archive(kafka_bootstrap: str, tmp_path: Path) -> None:
    topic = changed(INTAKE["forms"], name=f"past-{uuid4().hex[:8]}", partitions=1)
    write(
        tmp_path,
        (topic.name, 0),
        [ArchivedRecord(n, NOON // 1000, b"", encode(fact)) for n, fact in enumerate(FORMS[:4])],
    )

    async def filled() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(topic.name, 1, 1)])
            async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
                for fact in FORMS:
                    await producer.send_and_wait(topic.name, encode(fact), partition=0)
            await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(3)})
        finally:
            await admin.close()

    async def read(since: int, archive: Path | None) -> list[tuple[int, str]]:
        decided = {(topic.name, 0): 5}
        span = Micros(since), Micros(NOON + 4)
        facts = past_facts(
            kafka_bootstrap, {CONNECTION}, *span, decided, lambda _: lambda _: None, topics=[topic], archive=archive
        )
        return [(found.offset, found.fact.meta.id) async for found in facts]

    asyncio.run(filled())
    wanted = [(n, fact.meta.id) for n, fact in enumerate(FORMS[:4])]
    assert asyncio.run(read(NOON, tmp_path)) == wanted
    assert asyncio.run(read(NOON + 2, tmp_path)) == wanted[2:]
    for nowhere in None, tmp_path / "empty":
        with pytest.raises(
            Broken, match=rf"{topic.name}/0 before offset 3, which .*, are neither in Kafka nor in an archive"
        ):
            asyncio.run(read(NOON, nowhere))
