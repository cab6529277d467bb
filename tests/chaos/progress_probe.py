"""Progress of the stack: ends of topics, positions of consumers, facts that intake has acknowledged."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection

from crm.engine.state_fold import HEADS
from crm.topics import DECIDED, JOURNAL

POLL_INTERVAL = 0.05  # seconds between two looks
TOO_LONG = 5.0  # seconds for one look; then the server counts as away
PLACES = "SELECT consumer, topic, partition, next_offset, position, failed FROM core.checkpoint"
WAITING = "SELECT DISTINCT unnest(partitions) FROM core.outbox"
READ = [TopicPartition(t.name, p) for t in (*DECIDED, JOURNAL) for p in range(t.partitions)]
Place = tuple[str, int]  # topic and partition


@dataclass(frozen=True)
class Snapshot:
    """The progress at one moment."""

    at: float
    acked: int
    ends: dict[Place, int]  # behind the last record in Kafka
    offsets: dict[str, dict[Place, int]]  # the next offset of each consumer
    positions: dict[str, dict[int, int]]  # of the last event of each journal partition, by projection
    heads: dict[int, int]  # the next position of each journal partition
    waiting: set[int]  # partitions of which the outbox has events
    failed: dict[str, str]  # consumers that are stopped, and why

    def stalled(self, before: "Snapshot", over: bool = False, everywhere: bool = True) -> Iterator[str]:
        """Yields who has had work since `before` and has not moved.

        When the load is `over`, intake gets nothing new. Without `everywhere`, one commit of each consumer is enough.
        """
        if self.acked <= before.acked and not over:
            yield "intake has acknowledged nothing"
        for consumer, places in self.offsets.items():
            was = before.offsets.get(consumer, {})
            work = [place for place in places if self.ends[place] > was.get(place, 0)]
            stuck = [place for place in work if places[place] <= was.get(place, 0)]
            if everywhere or stuck == work:
                yield from (f"{consumer} has not moved in {topic}/{partition}" for topic, partition in stuck)
        for partition in sorted(self.waiting):
            place = JOURNAL.name, partition
            if self.ends[place] <= before.ends[place]:
                yield f"relay has not moved in {JOURNAL.name}/{partition}"

    def unfinished(self) -> Iterator[str]:
        """Yields which consumers have not reached the end."""
        decided = self.offsets.get("decide", {})
        for topic in DECIDED:
            for partition in range(topic.partitions):
                at, end = decided.get((topic.name, partition), 0), self.ends[topic.name, partition]
                if at < end:
                    yield f"decide is at {at:,} of {end:,} in {topic.name}/{partition}"
        for projection, places in self.positions.items():
            for partition, head in self.heads.items():
                if (at := places.get(partition, -1) + 1) != head:
                    why = f" and is stopped: {self.failed[projection]}" if projection in self.failed else ""
                    yield f"{projection} is at {at:,} of {head:,} in {JOURNAL.name}/{partition}{why}"


class ProgressProbe:
    """Queries the servers directly, not the roles. Retries while a server is away."""

    def __init__(self, bootstrap: str, dsn: str, acked: Callable[[], int]) -> None:
        self.bootstrap, self.dsn, self.acked = bootstrap, dsn, acked
        self.kafka: Any = None
        self.postgres: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    async def snapshot(self) -> Snapshot:
        """Retries until both servers answer."""
        while True:
            try:
                async with asyncio.timeout(TOO_LONG):
                    return await self.ask()
            except Exception:  # whatever a server that is away makes its client say
                await self.disconnect()
                await asyncio.sleep(POLL_INTERVAL)

    async def ask(self) -> Snapshot:
        if self.kafka is None:
            self.kafka = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, request_timeout_ms=4_000)
            await self.kafka.start()
        if self.postgres is None:
            self.postgres = await AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=2)
        acked = self.acked()
        heads = await (await self.postgres.execute(HEADS)).fetchall()
        rows = await (await self.postgres.execute(PLACES)).fetchall()
        waiting = await (await self.postgres.execute(WAITING)).fetchall()
        ends = await self.kafka.end_offsets(READ)  # last: what is behind it was written before
        offsets: dict[str, dict[Place, int]] = {}
        positions: dict[str, dict[int, int]] = {}
        failed: dict[str, str] = {}
        for consumer, topic, partition, offset, position, why in rows:
            offsets.setdefault(consumer, {})[topic, partition] = offset
            if topic == JOURNAL.name:
                positions.setdefault(consumer, {})[partition] = position
            if why:
                failed[consumer] = why
        places = {(p.topic, p.partition): end for p, end in ends.items()}
        return Snapshot(
            time.monotonic(), acked, places, offsets, positions, dict(heads), {n for (n,) in waiting}, failed
        )

    async def disconnect(self) -> None:
        kafka, self.kafka, postgres, self.postgres = self.kafka, None, self.postgres, None
        try:
            async with asyncio.timeout(TOO_LONG):
                if postgres:
                    await postgres.close()
                if kafka:
                    await kafka.stop()
        except Exception:
            pass  # it was gone


async def time_to_recovery(
    probe: ProgressProbe,
    before: Snapshot,
    since: float,
    unready: Callable[[], Awaitable[str | None]],
    over: Callable[[], bool],
    patience: float,
    everywhere: bool = True,
) -> tuple[float, str, str]:
    """Returns the seconds from `since` until everything has moved, what had not within `patience`, and who was waited
    for how long in turn.

    Calls `unready` last. Once the load is `over`, it is enough that all of it is processed.
    """
    waits = [("the first look", since)]
    while True:
        snapshot = await probe.snapshot()
        missing = next(snapshot.stalled(before, over(), everywhere), "") or await unready() or ""
        if missing and over() and not any(snapshot.unfinished()):
            missing = ""  # nothing comes any more, and all that came is done
        now = time.monotonic()
        if missing != waits[-1][0]:
            waits.append((missing, now))
        if not missing or now - since > patience:
            return now - since, missing, in_turn(waits, now)
        await asyncio.sleep(POLL_INTERVAL)


def in_turn(waits: Sequence[tuple[str, float]], until: float) -> str:
    """Returns who was waited for and how long, in a sentence, without those who took less than a tenth of a second."""
    ends = [*(at for _, at in waits[1:]), until]
    took = [(who, end - at) for (who, at), end in zip(waits, ends, strict=True)]
    return ", then ".join(f"{who} ({seconds:.1f} s)" for who, seconds in took if seconds >= 0.1)


async def wait_until_idle(probe: ProgressProbe, patience: float) -> list[str]:
    """Waits until all facts are decided and projected. Returns what lags after `patience` seconds without movement."""
    last, since = None, time.monotonic()
    while True:
        snapshot = await probe.snapshot()
        behind = list(snapshot.unfinished())
        if not behind:
            return []
        if (moved := (snapshot.offsets, snapshot.positions, snapshot.heads)) != last:
            last, since = moved, time.monotonic()
        if time.monotonic() - since > patience:
            return behind
        await asyncio.sleep(POLL_INTERVAL * 4)
