"""At a start: what the open API was told last, out of Kafka, so that a repeat is known after a restart too."""

import asyncio
from collections.abc import Iterator
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.kafka.consumer import begin, let_go
from crm.scalars import Id
from crm.topics import INTAKE
from crm.versions import DIGEST
from services.intake.known import Known

TOPIC = INTAKE["facts"]
EACH = 10_000  # records of a partition
PATIENCE = 60.0  # seconds
logger = structlog.get_logger()


async def learn(bootstrap: str, known: Known, each: int = EACH) -> None:
    """Reads the headers of the newest records, at its leisure. Where that fails, decide compares what is not known."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50)
    try:
        async with asyncio.timeout(PATIENCE):
            await begin(consumer)
            await read(consumer, known, each)
    except Exception as error:
        logger.warning("what was told before this start is not known here; decide compares it", error=repr(error))
    finally:
        await let_go(consumer)


async def read(consumer: Any, known: Known, each: int) -> None:
    partitions = [TopicPartition(TOPIC.name, number) for number in range(TOPIC.partitions)]
    ends, begins = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
    left = {tp: end for tp, end in ends.items() if begins[tp] < end}
    if left:
        consumer.assign(list(left))
    for tp, end in left.items():
        consumer.seek(tp, max(begins[tp], end - each))
    while left:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=500)).values():
            known.learn({id: digest for record in records for id, digest in named(dict(record.headers))})
        left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}


def named(headers: dict[str, bytes]) -> Iterator[tuple[Id, str]]:
    """A record's id and the digest of its content, where it has a name."""
    if DIGEST in headers and "ce_id" in headers:
        yield Id(headers["ce_id"].decode()), headers[DIGEST].decode()
