"""`python -m tests.chaos.mutant_run DATA FACTS [ROLE=MODULE …] [zombie]`: checks a stack whose roles have bugs."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from crm.topics import JOURNAL
from services.stack.process import until
from tests.chaos import invariants
from tests.chaos.cluster import Cluster, plan, running_cluster
from tests.chaos.invariants import Verdict
from tests.chaos.load import Load
from tests.chaos.progress_probe import ProgressProbe, wait_until_idle
from tests.chaos.tenants import create_tenants
from tests.support.timeouts import TIMEOUT

RATE = 1000  # facts a second
REPEATED = 200  # records at the end of each journal partition that a zombie relay sends again


async def run_with_mutants(data: Path, facts: int, roles: Mapping[str, str], zombie: bool) -> Verdict:
    cluster = Cluster(plan(data, os.environ, None, roles), lambda who, what: print(who, what, file=sys.stderr))
    async with running_cluster(cluster):
        load = Load(cluster.intake_urls, await create_tenants(cluster), RATE, facts, "planted")
        await asyncio.wait_for(load.run(), TIMEOUT)
        async with ProgressProbe(cluster.bootstrap, cluster.dsn, lambda: load.acked) as probe:
            if behind := await wait_until_idle(probe, TIMEOUT):
                sys.exit(f"nothing moves any more, and {behind}")
            if zombie:
                await repeat_the_end(cluster.bootstrap)
                await until(lambda: unread(probe), TIMEOUT)
        return await invariants.check(cluster.bootstrap, cluster.dsn, load.ledger)


async def repeat_the_end(bootstrap: str) -> None:
    """Repeats the last records of each partition, as a relay does that was frozen within a batch and resumes."""
    topic = [TopicPartition(JOURNAL.name, partition) for partition in range(JOURNAL.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    async with consumer, producer:
        consumer.assign(topic)
        for tp, end in (await consumer.end_offsets(topic)).items():
            consumer.seek(tp, max(0, end - REPEATED))
            records: list[Any] = []
            while await consumer.position(tp) < end:
                records += (await consumer.getmany(tp, timeout_ms=500)).get(tp, [])
            for record in records:
                headers = list(record.headers)
                await producer.send(tp.topic, record.value, record.key, tp.partition, headers=headers)
        await producer.flush()


async def unread(probe: ProgressProbe) -> str | None:
    """Returns which consumer has not read the journal's topic to its end; None when all have."""
    snapshot = await probe.snapshot()
    behind = (
        f"{consumer} has not read {topic}/{partition} to its end"
        for consumer, places in snapshot.offsets.items()
        for (topic, partition), at in places.items()
        if at < snapshot.ends[topic, partition]
    )
    return next(behind, None)


if __name__ == "__main__":
    folder, count, *rest = sys.argv[1:]
    injected = dict(word.split("=") for word in rest if "=" in word)
    verdict = asyncio.run(run_with_mutants(Path(folder), int(count), injected, "zombie" in rest))
    print(msgspec.json.encode(verdict).decode())
