"""`python -m tests.chaos.harmed DATA FACTS [ROLE=MODULE …] [zombie]`: what the laws say of a stack with these roles."""

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
from tests.chaos import laws
from tests.chaos.laws import Verdict
from tests.chaos.load import Load
from tests.chaos.pulse import Pulse, quiet
from tests.chaos.shops import opened
from tests.chaos.stand import Stand, plan, standing
from tests.support.patience import PATIENCE

RATE = 1000  # facts a second
REPEATED = 200  # records at the end of each journal partition that a zombie relay sends again


async def judged(data: Path, facts: int, roles: Mapping[str, str], zombie: bool) -> Verdict:
    stand = Stand(plan(data, os.environ, None, roles), lambda who, what: print(who, what, file=sys.stderr))
    async with standing(stand):
        load = Load(stand.intake_urls, await opened(stand), RATE, facts, "planted")
        await asyncio.wait_for(load.run(), PATIENCE)
        async with Pulse(stand.bootstrap, stand.dsn, lambda: load.acked) as pulse:
            if behind := await quiet(pulse, PATIENCE):
                sys.exit(f"nothing moves any more, and {behind}")
            if zombie:
                await repeat_the_end(stand.bootstrap)
                await until(lambda: unread(pulse), PATIENCE)
        return await laws.check(stand.bootstrap, stand.dsn, load.ledger)


async def repeat_the_end(bootstrap: str) -> None:
    """What a relay does that was frozen in the middle of a batch, and wakes up."""
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


async def unread(pulse: Pulse) -> str | None:
    """Who has not read the journal's topic to its end."""
    look = await pulse.look()
    behind = (
        f"{consumer} has not read {topic}/{partition} to its end"
        for consumer, places in look.offsets.items()
        for (topic, partition), at in places.items()
        if at < look.ends[topic, partition]
    )
    return next(behind, None)


if __name__ == "__main__":
    folder, count, *rest = sys.argv[1:]
    planted = dict(word.split("=") for word in rest if "=" in word)
    verdict = asyncio.run(judged(Path(folder), int(count), planted, "zombie" in rest))
    print(msgspec.json.encode(verdict).decode())
