"""How far each role is, and how fast: checkpoints of Postgres against the ends of Kafka, looked at when somebody asks.

A rate is the difference between two looks, so the first one after a while has none: nothing runs while nobody asks.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from api.commands.executor import CommandExecutor
from api.errors import Unavailable
from crm.adapters.kafka.reading import open_consumer
from crm.adapters.postgres.history import CONSUMER as HISTORY
from crm.topics import DECIDED, JOURNAL
from projections import PROJECTIONS

OUTBOUND = "outbound_v1"  # services/outbound/planning.py
FRESH = 1.0  # seconds that a look serves everybody who asks
WINDOW = 60.0  # seconds over which a rate is taken
LOOKS = 120
PATIENCE = 5.0  # seconds for Kafka to answer
LEAD = 7_068_002  # the relay's advisory lock: streams/relay.py
NAMES = {p.table: p.name for p in PROJECTIONS.values()} | {HISTORY: "history", OUTBOUND: "outbound", "decide": "decide"}
ROLES = {"decide": "decide", OUTBOUND: "outbound"}  # of other consumers project
LOOK = f"""
SELECT json_build_object(
  'heads', (SELECT coalesce(json_object_agg(partition, next), '{{}}') FROM core.journal_head),
  'outbox', (SELECT coalesce(json_object_agg(p, n), '{{}}') FROM (SELECT p, sum(c)::bigint AS n
    FROM core.outbox CROSS JOIN LATERAL unnest(partitions, counts) AS waiting (p, c) GROUP BY p) AS o),
  'leads', EXISTS (SELECT FROM pg_locks JOIN pg_database AS d ON d.oid = database
    WHERE locktype = 'advisory' AND objid = {LEAD} AND granted AND datname = current_database()),
  'checkpoints', (SELECT coalesce(json_agg(json_build_array(consumer, topic, partition, next_offset, position,
    failed IS NOT NULL)), '[]') FROM core.checkpoint WHERE consumer = ANY (%s)))::text"""


class Found(msgspec.Struct):
    """What Postgres says at one moment."""

    heads: dict[int, int]  # next position by partition of the journal
    outbox: dict[int, int]  # events by partition that Kafka does not have yet
    leads: bool
    checkpoints: list[tuple[str, str, int, int, int, bool]]


class Place(NamedTuple):
    """A partition as one consumer reads it."""

    role: str
    name: str
    topic: str
    partition: int


class Progress(NamedTuple):
    """`next`: what the consumer takes next; `end`: what will be written next."""

    next: int
    end: int
    halted: bool = False

    @property
    def lag(self) -> int:
        return max(0, self.end - self.next)


class Look(NamedTuple):
    """One look. `at`: of time.monotonic. `leads`: whether a relay carries the outbox to Kafka."""

    at: float
    leads: bool
    progress: Mapping[Place, Progress]


class Processing:
    """The looks of one process."""

    def __init__(self, executor: CommandExecutor) -> None:
        self.executor = executor
        self.looks: deque[Look] = deque(maxlen=LOOKS)
        self.turn = asyncio.Lock()

    async def look(self) -> tuple[Look, Look]:
        """Returns the newest look, and the oldest of the last minute, which may be the same. Raises Unavailable."""
        async with self.turn:
            now = time.monotonic()
            if not self.looks or now - self.looks[-1].at > FRESH:
                async with self.executor.connection("processing") as conn:
                    found = await read(conn)
                self.looks.append(Look(time.monotonic(), found.leads, progress(found, await self.ends())))
            while now - self.looks[0].at > WINDOW and len(self.looks) > 1:
                self.looks.popleft()
        return self.looks[-1], self.looks[0]

    async def ends(self) -> dict[tuple[str, int], int]:
        """Returns the offset after the last record of each partition that decide reads. Raises Unavailable."""
        wanted = [TopicPartition(topic.name, n) for topic in DECIDED for n in range(topic.partitions)]
        try:
            async with asyncio.timeout(PATIENCE), open_consumer(self.executor.bootstrap) as consumer:
                return {(tp.topic, tp.partition): end for tp, end in (await consumer.end_offsets(wanted)).items()}
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(f"Kafka does not answer ({type(error).__name__}). Nothing was read; try again.") from None


async def read(conn: AsyncConnection) -> Found:
    ((text,),) = await (await conn.execute(LOOK.encode(), [list(NAMES)])).fetchall()
    return msgspec.json.decode(text, type=Found)


def progress(found: Found, ends: Mapping[tuple[str, int], int]) -> dict[Place, Progress]:
    """Returns all places, in the order in which data passes them."""
    at = {Place("intake", "intake", *place): Progress(end, end) for place, end in ends.items()}
    rest: dict[Place, Progress] = {}
    for consumer, topic, partition, offset, position, halted in sorted(found.checkpoints):
        role = ROLES.get(consumer, "project")
        place = Place(role, NAMES[consumer], topic, partition)
        if topic == JOURNAL.name:  # by positions: at its end some records may be there twice
            rest[place] = Progress(position + 1, found.heads.get(partition, 0), halted)
        elif (topic, partition) in ends:
            at[place] = Progress(offset, ends[topic, partition], halted)
    for partition, head in sorted(found.heads.items()):
        at[Place("relay", "relay", JOURNAL.name, partition)] = Progress(head - found.outbox.get(partition, 0), head)
    return at | rest


def rate(now: Look, before: Look, place: Place) -> float | None:
    """Returns records a second that were taken between two looks; None when there are not two."""
    seconds = now.at - before.at
    if seconds < FRESH or place not in before.progress:
        return None
    return round(max(0, now.progress[place].next - before.progress[place].next) / seconds, 2)
