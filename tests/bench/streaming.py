"""End to end: facts go directly to Kafka at a steady rate while every role runs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.scalars import Id
from projections import PROJECTIONS
from tests.bench.machine import machine
from tests.support.workload.facts import KafkaRecord, kafka_record, mixed_facts

TICK = 0.05  # seconds between bursts
PROGRESS = """
SELECT (SELECT coalesce(sum(next_offset), 0) FROM core.checkpoint WHERE consumer = 'decide')::bigint,
       (SELECT sum(next) FROM core.journal_head)::bigint,
       (SELECT coalesce(min(done), 0) FROM (
          SELECT sum(position + 1) AS done FROM core.checkpoint
          WHERE consumer = ANY (%s) AND failed IS NULL GROUP BY consumer
        ) AS projections)::bigint"""


@dataclass(frozen=True)
class Progress:
    """Decided facts, journal events, and journal events that every projection has folded."""

    decided: int
    journaled: int
    projected: int


async def progress(conn: AsyncConnection) -> Progress:
    row = await (await conn.execute(PROGRESS, [[projection.table for projection in PROJECTIONS.values()]])).fetchone()
    return Progress(*row) if row else Progress(0, 0, 0)


async def send(bootstrap: str, facts: Sequence[KafkaRecord], rate: int, sent: Callable[[int], None]) -> None:
    """Sends whole batches, as a streaming client does."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=500_000
    )
    async with producer:
        began = time.monotonic()
        at = 0
        while at < len(facts):
            due = min(len(facts), int((time.monotonic() - began + TICK) * rate))
            batches: dict[tuple[str, int], Any] = {}
            for topic, partition, key, value in facts[at:due]:
                batch = batches.get((topic, partition))
                if batch is None:
                    batch = batches[topic, partition] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
            for ack in [await producer.send_batch(b, topic, partition=p) for (topic, p), b in batches.items()]:
                await ack
            at = due
            sent(at)
            await asyncio.sleep(max(0.0, began + at / rate - time.monotonic()))


async def bench_streaming(
    bootstrap: str, dsn: str, workspace: Id, rate: int, seconds: int, report: Callable[[str], None]
) -> dict[str, Any]:
    """Returns figures of one run: `rate` facts/s for `seconds`, then until every projection has caught up."""
    count = rate * seconds
    report(f"making {count:,} facts")
    facts = [kafka_record(fact) for fact in mixed_facts(workspace, count)]
    sent, lags = 0, []

    def count_sent(at: int) -> None:
        nonlocal sent
        sent = at

    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        before = await progress(conn)
        began = time.monotonic()
        sending = asyncio.create_task(send(bootstrap, facts, rate, count_sent))
        while True:
            now = await progress(conn)
            waits = time.monotonic() - began
            decided = now.decided - before.decided
            behind = (sent - decided) + (now.journaled - now.projected)
            lags.append((waits, sent - decided, now.journaled - now.projected))
            report(f"{waits:5.1f} s  sent {sent:,}  decided {decided:,}  events behind {behind:,}")
            if sending.done():
                sending.result()
                if decided >= count and now.projected >= now.journaled:
                    break
            if waits > seconds * 5 + 60:
                raise TimeoutError(f"after {waits:.0f} s {decided:,} of {count:,} facts were decided; see `crm status`")
            await asyncio.sleep(0.5)
    during = [lag for lag in lags if lag[0] <= seconds] or lags
    third = during[len(during) // 3 : 2 * len(during) // 3], during[2 * len(during) // 3 :]
    middle, late = (sum(f + e for _, f, e in part) / max(1, len(part)) for part in third)
    return {
        "benchmark": "end-to-end, streamed",
        "machine": machine(),
        "settings": {
            "rate": rate,
            "seconds": seconds,
            "mixture": "2 forms, 1 payment, 3 call reports, 4 messages of 10",
        },
        "facts": count,
        "journal_events": now.journaled - before.journaled,
        "facts_per_s": round(count / waits),
        "drained_s_after_the_last": round(max(0.0, waits - seconds), 1),
        "lag_facts_max": max(f for _, f, _ in lags),
        "lag_events_max": max(e for _, _, e in lags),
        "lag_bounded": late <= middle * 1.2 + rate,
    }
