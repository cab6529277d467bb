"""How far everything is: what Kafka holds, what each consumer has done, what intake has acknowledged."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection

from crm.engine.state_fold import HEADS
from crm.topics import DECIDED, JOURNAL

LOOK = 0.05  # seconds between two looks
TOO_LONG = 5.0  # seconds for one look; then the server counts as away
PLACES = "SELECT consumer, topic, partition, next_offset, position, failed FROM core.checkpoint"
READ = [TopicPartition(t.name, p) for t in (*DECIDED, JOURNAL) for p in range(t.partitions)]
Place = tuple[str, int]  # topic and partition


@dataclass(frozen=True)
class Look:
    """One moment."""

    at: float
    acked: int
    ends: dict[Place, int]  # behind the last record in Kafka
    offsets: dict[str, dict[Place, int]]  # the next offset of each consumer
    positions: dict[str, dict[int, int]]  # of the last event of each journal partition, by projection
    heads: dict[int, int]  # the next position of each journal partition
    failed: dict[str, str]  # consumers that stand still, and why

    def still(self, before: "Look", over: bool = False, everywhere: bool = True) -> Iterator[str]:
        """Who has got something to do since `before` and has not moved: empty when all go on.

        Nothing comes to intake any more when the load is `over`. Not `everywhere`: one commit of each is enough.
        """
        if self.acked <= before.acked and not over:
            yield "intake has acknowledged nothing"
        for consumer, places in self.offsets.items():
            was = before.offsets.get(consumer, {})
            work = [place for place in places if self.ends[place] > was.get(place, 0)]
            stuck = [place for place in work if places[place] <= was.get(place, 0)]
            if everywhere or stuck == work:
                yield from (f"{consumer} has not moved in {topic}/{partition}" for topic, partition in stuck)
        for partition, head in self.heads.items():
            place = JOURNAL.name, partition
            if head > before.heads.get(partition, 0) and self.ends[place] <= before.ends[place]:
                yield f"relay has not moved in {JOURNAL.name}/{partition}"

    def unfinished(self) -> Iterator[str]:
        """What is not yet where it must end: empty when all is quiet."""
        decided = self.offsets.get("decide", {})
        for topic in DECIDED:
            for partition in range(topic.partitions):
                at, end = decided.get((topic.name, partition), 0), self.ends[topic.name, partition]
                if at < end:
                    yield f"decide is at {at:,} of {end:,} in {topic.name}/{partition}"
        for projection, places in self.positions.items():
            for partition, head in self.heads.items():
                if (at := places.get(partition, -1) + 1) != head:
                    why = f" and stands still: {self.failed[projection]}" if projection in self.failed else ""
                    yield f"{projection} is at {at:,} of {head:,} in {JOURNAL.name}/{partition}{why}"


class Pulse:
    """Looks at the servers themselves, not through the roles. A server that is away is asked again."""

    def __init__(self, bootstrap: str, dsn: str, acked: Callable[[], int]) -> None:
        self.bootstrap, self.dsn, self.acked = bootstrap, dsn, acked
        self.kafka: Any = None
        self.postgres: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.let_go()

    async def look(self) -> Look:
        """Until both servers answer."""
        while True:
            try:
                async with asyncio.timeout(TOO_LONG):
                    return await self.ask()
            except Exception:  # whatever a server that is away makes its client say
                await self.let_go()
                await asyncio.sleep(LOOK)

    async def ask(self) -> Look:
        if self.kafka is None:
            self.kafka = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, request_timeout_ms=4_000)
            await self.kafka.start()
        if self.postgres is None:
            self.postgres = await AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=2)
        acked = self.acked()
        heads = await (await self.postgres.execute(HEADS)).fetchall()
        rows = await (await self.postgres.execute(PLACES)).fetchall()
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
        return Look(time.monotonic(), acked, places, offsets, positions, dict(heads), failed)

    async def let_go(self) -> None:
        kafka, self.kafka, postgres, self.postgres = self.kafka, None, self.postgres, None
        try:
            async with asyncio.timeout(TOO_LONG):
                if postgres:
                    await postgres.close()
                if kafka:
                    await kafka.stop()
        except Exception:
            pass  # it was gone


async def recovered(
    pulse: Pulse,
    before: Look,
    since: float,
    unready: Callable[[], Awaitable[str | None]],
    over: Callable[[], bool],
    patience: float,
    everywhere: bool = True,
) -> tuple[float, str, str]:
    """Seconds from `since` until everything has moved; what had not, when patience came to its end; and what was last.

    `unready` is asked last; once the load is `over` it is enough that all it gave is done.
    """
    last = ""
    while True:
        look = await pulse.look()
        missing = next(look.still(before, over(), everywhere), "") or await unready() or ""
        last = missing or last
        if missing and over() and not any(look.unfinished()):
            missing = ""  # nothing comes any more, and all that came is done
        seconds = time.monotonic() - since
        if not missing or seconds > patience:
            return seconds, missing, last
        await asyncio.sleep(LOOK)


async def quiet(pulse: Pulse, patience: float) -> list[str]:
    """Waits until all that was taken is decided and projected. Gives what is behind when nothing moves any more."""
    last, since = None, time.monotonic()
    while True:
        look = await pulse.look()
        behind = list(look.unfinished())
        if not behind:
            return []
        if (moved := (look.offsets, look.positions, look.heads)) != last:
            last, since = moved, time.monotonic()
        if time.monotonic() - since > patience:
            return behind
        await asyncio.sleep(LOOK * 4)
