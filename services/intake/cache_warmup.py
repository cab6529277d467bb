"""Fills the digest cache from Kafka at startup, so that repeats are recognized after a restart too."""

import asyncio
from collections.abc import Iterator
from typing import Any

import structlog
from aiokafka import TopicPartition

from crm.adapters.kafka.reading import open_consumer, read_range
from crm.scalars import Id
from crm.topics import INTAKE
from crm.versions import DIGEST
from services.intake.digest_cache import DigestCache

TOPIC = INTAKE["facts"]
EACH = 10_000  # records per partition
PATIENCE = 60.0  # seconds
logger = structlog.get_logger()


async def warm_up(bootstrap: str, digests: DigestCache, each: int = EACH) -> None:
    """Reads the headers of the newest records in the background. If that fails, decide still compares digests."""
    try:
        async with asyncio.timeout(PATIENCE), open_consumer(bootstrap) as consumer:
            await read(consumer, digests, each)
    except Exception as error:
        logger.warning(
            "the digest cache could not be filled; decide compares repeated facts instead", error=repr(error)
        )


async def read(consumer: Any, digests: DigestCache, each: int) -> None:
    partitions = [TopicPartition(TOPIC.name, number) for number in range(TOPIC.partitions)]
    ends, begins = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
    newest = {tp: (max(begins[tp], end - each), end) for tp, end in ends.items()}
    async for found in read_range(consumer, newest, max_records=500):
        for records in found.values():
            digests.add({id: digest for record in records for id, digest in digest_in(dict(record.headers))})


def digest_in(headers: dict[str, bytes]) -> Iterator[tuple[Id, str]]:
    """Yields a record's id and content digest, if it has a digest."""
    if DIGEST in headers and "ce_id" in headers:
        yield Id(headers["ce_id"].decode()), headers[DIGEST].decode()
