"""Facts that came in since a moment, out of the intake topics, each with where it lies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from crm.adapters.stopping import let_go
from crm.codec import decode
from crm.envelope import Fact
from crm.errors import Malformed
from crm.scalars import Id, Micros
from crm.topics import INTAKE, Topic

AT_ONCE = 1_000  # records
SILENCE = 30.0  # seconds without an answer
Advance = Callable[[int], None]


class Past(NamedTuple):
    """A fact as it was understood then, and where it lies."""

    fact: Any
    topic: str
    partition: int
    offset: int


async def past(
    bootstrap: str,
    connections: Container[Id],
    since: Micros,
    until: Micros,
    decided: Mapping[tuple[str, int], int],
    total: Callable[[int], Advance],
    topics: Sequence[Topic] = tuple(INTAKE.values()),
) -> AsyncIterator[Past]:
    """Facts of these connections that were recorded from `since` to before `until`, in each partition's own order.

    Up to where decide has come (`decided`: its next offsets): what is still undecided will be decided as it is.
    Raises TimeoutError when Kafka says nothing for SILENCE seconds.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        at, ends = await places(consumer, topics, since, decided)
        advance = total(sum(ends[tp] - offset for tp, offset in at.items()))
        for tp, offset in at.items():
            consumer.seek(tp, offset)
        while any(at[tp] < ends[tp] for tp in at):
            async with asyncio.timeout(SILENCE):
                found = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
            for tp, records in found.items():
                for record in records:
                    if record.offset < ends[tp] and (one := wanted(record, connections, since, until)):
                        yield one
                before, at[tp] = at[tp], records[-1].offset + 1
                advance(min(at[tp], ends[tp]) - before)
    finally:
        await let_go(consumer)


async def places(
    consumer: Any, topics: Sequence[Topic], since: Micros, decided: Mapping[tuple[str, int], int]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Where to begin and where to end, of the partitions that hold anything since then. Assigns them."""
    tps = [TopicPartition(topic.name, n) for topic in topics for n in range(topic.partitions)]
    ends = {tp: min(end, decided.get(tp, 0)) for tp, end in (await consumer.end_offsets(tps)).items()}
    stamps = await consumer.offsets_for_times({tp: max(0, since // 1000) for tp in tps})
    at = {tp: stamp.offset for tp, stamp in stamps.items() if stamp and stamp.offset < ends[tp]}
    if at:
        consumer.assign(list(at))
    return at, ends


def wanted(record: Any, connections: Container[Id], since: Micros, until: Micros) -> Past | None:
    """None for what is another connection's, of another time, or cannot be read: that waits in quarantine."""
    try:
        fact: Fact = decode(record.value or b"")
    except Malformed:
        return None
    if fact.meta.source not in connections or not since <= fact.meta.recorded_at < until:
        return None
    return Past(fact, record.topic, record.partition, record.offset) if hasattr(fact, "raw") else None
