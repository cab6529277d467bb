"""The journal out of Kafka: one reader for all who follow it live, one of his own for whoever has to catch up.

Nobody has a queue. What came last is kept once for all, up to KEPT bytes; who is slower than that reads on from Kafka,
where everything is, and joins the others again. Without followers nothing is read.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from api.errors import ApiError, BadCursor, TooMuch
from api.live.entries import Entry, workspace_of
from api.live.positions import Places
from crm.adapters.kafka.consumer import begin, let_go
from crm.adapters.kafka.journal_log import position_of
from crm.topics import JOURNAL

RETRY_SECONDS = 0.5
PAUSE = 0.02  # seconds between two looks under load: fewer, larger fetches cost a quarter of many small ones
QUIET = 1.0  # seconds after which a follower hears that nothing came
RECORDS = 500  # of one look
FETCH = 128 * 1024  # bytes that Kafka gives of one partition at a time, unless one record is larger
KEPT = 8_000_000  # bytes of events kept for those who follow live
OVERHEAD = 500  # bytes of an entry besides its value
FOLLOWERS = 200  # a process; each may need a consumer of its own to catch up

log = structlog.get_logger()


class JournalGap(ApiError):
    """The journal lacks events that it had, or ought to have."""

    code = "JOURNAL_GAP"


class Stretch(NamedTuple):
    """Some of the journal: where it ends, and what it holds of the workspaces that somebody follows."""

    ends: Places
    entries: Mapping[bytes, list[Entry]]

    @property
    def weight(self) -> int:
        return OVERHEAD + sum(OVERHEAD + len(e.value) for some in self.entries.values() for e in some)


class Journal:
    """Of one process. It connects when somebody follows."""

    def __init__(self, bootstrap: str, topic: str = JOURNAL.name, partitions: int = JOURNAL.partitions) -> None:
        self.bootstrap, self.topic = bootstrap, topic
        self.partitions = range(partitions)
        self.followed: Counter[bytes] = Counter()  # workspaces
        self.forget()

    def forget(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.reader: Any = None  # the live reader's consumer
        self.at: dict[int, int] = {}  # the live reader's next position, of each partition once it is known
        self.kept: deque[Stretch] = deque()
        self.weight = self.count = 0  # count: of the stretches that there were
        self.moved = asyncio.Event()
        self.broken: ApiError | None = None

    @property
    def known(self) -> bool:
        return len(self.at) == len(self.partitions)

    @property
    def places(self) -> Places:
        return tuple(self.at[p] for p in self.partitions)

    async def follow(self, workspace: str, after: Places | None) -> AsyncGenerator[tuple[Places, list[Entry]]]:
        """What comes and where that ends, without end. Each event behind `after` comes once, in its partition's order.

        At least once a second, also with nothing: the places may have moved all the same. Waits while Kafka is away.
        """
        key = workspace.encode()
        async with self.following(key):
            while not self.known:
                await self.look()
            at = self.places if after is None else await self.there(after)
            yield at, []
            while True:
                number, joined = self.count, self.places
                async with aclosing(self.between(at, joined, {key})) as earlier:
                    async for stretch in earlier:
                        at = stretch.ends
                        yield at, stretch.entries.get(key, [])
                while number >= self.count - len(self.kept):  # else it is no longer kept: catch up again
                    found: list[Entry] = []
                    for stretch in self.since(number):
                        found += (e for e in stretch.entries.get(key, ()) if e.position >= at[e.partition])
                        at = tuple(map(max, at, stretch.ends))
                        number += 1
                        if len(found) >= RECORDS:
                            break
                    yield at, found
                    if number == self.count:
                        await self.look()

    async def between(self, at: Places, until: Places, wanted: Collection[bytes]) -> AsyncGenerator[Stretch]:
        """From there to there; the last stretch may end later. Waits while Kafka is away. Raises JournalGap."""
        while behind := [p for p in self.partitions if at[p] < until[p]]:
            try:
                async with self.consumer() as consumer:
                    self.begin(consumer, {p: at[p] for p in behind})
                    while any(at[p] < until[p] for p in behind):
                        found = await consumer.getmany(timeout_ms=1000, max_records=RECORDS)
                        next = dict(enumerate(at))
                        entries = taken(found, next, wanted)
                        at = tuple(next.values())
                        if found:
                            yield Stretch(at, entries)
            except OffsetOutOfRangeError as error:
                raise JournalGap(f"The journal in Kafka begins or ends elsewhere: {error}. Tell who runs it.") from None
            except (KafkaError, OSError) as error:
                log.warning("the journal cannot be read; trying again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    @asynccontextmanager
    async def following(self, key: bytes) -> AsyncIterator[None]:
        if self.followed.total() >= FOLLOWERS:
            raise TooMuch(f"{FOLLOWERS} subscriptions follow the journal here, which is the limit. Try again later.")
        self.followed[key] += 1
        if self.task is None or self.task.done():
            self.forget()
            self.task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            self.followed[key] -= 1
            self.followed += Counter()  # without those that nobody follows any more
            if not self.followed and (task := self.task):
                self.forget()
                task.cancel()
                await asyncio.wait([task])

    async def look(self) -> None:
        """Until something moved, at most a second. Raises JournalGap."""
        if self.broken:
            raise self.broken
        try:
            async with asyncio.timeout(QUIET):
                await self.moved.wait()
        except TimeoutError:
            pass

    def since(self, number: int) -> list[Stretch]:
        return list(self.kept)[number - self.count + len(self.kept) :] if number < self.count else []

    async def there(self, after: Places) -> Places:
        """Another process's reader may be further than ours, but not further than Kafka. Raises BadCursor."""
        if any(map(int.__gt__, after, self.places)) and self.reader:
            try:
                ends = await self.reader.end_offsets([TopicPartition(self.topic, p) for p in self.partitions])
            except KafkaError:
                return after
            if any(after[tp.partition] > end for tp, end in ends.items()):
                raise BadCursor("This cursor is ahead of the journal, which was replaced. Begin anew without it.")
        return after

    async def run(self) -> None:
        """The live reader, while anybody follows."""
        while not self.broken:
            try:
                async with self.consumer() as self.reader:
                    await self.read(self.reader)
            except JournalGap as error:
                log.error("the journal has a gap; nobody can follow it", error=error.message)
                self.broken = error
                self.wake()
            except (KafkaError, OSError) as error:
                self.reader = None
                log.warning("the journal cannot be followed; trying again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def read(self, consumer: Any) -> None:
        """From where it was, or from the last event of each partition, which tells the position."""
        ends = await consumer.end_offsets([TopicPartition(self.topic, p) for p in self.partitions])
        self.at |= {tp.partition: 0 for tp, end in ends.items() if not end}
        self.begin(consumer, {tp.partition: self.at.get(tp.partition, end - 1) for tp, end in ends.items()})
        while True:
            self.wake()
            if found := await consumer.getmany(timeout_ms=1000, max_records=RECORDS):
                for tp, records in found.items():
                    self.at.setdefault(tp.partition, position_of(records[0]) + 1)
                entries = taken(found, self.at, self.followed)
                if self.known:
                    self.keep(Stretch(self.places, entries))
                await asyncio.sleep(PAUSE)

    def keep(self, stretch: Stretch) -> None:
        self.kept.append(stretch)
        self.count += 1
        self.weight += stretch.weight
        while self.weight > KEPT:
            self.weight -= self.kept.popleft().weight

    def wake(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()

    def begin(self, consumer: Any, offsets: Mapping[int, int]) -> None:
        """A position will do as the offset: repeats only add, so none lies before it."""
        consumer.assign([TopicPartition(self.topic, p) for p in offsets])
        for partition, offset in offsets.items():
            consumer.seek(TopicPartition(self.topic, partition), offset)

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH,
            request_timeout_ms=10_000,
        )
        try:
            await begin(consumer)
            yield consumer
        finally:
            await let_go(consumer)


def taken(
    found: Mapping[Any, Sequence[Any]], next: dict[int, int], wanted: Collection[bytes]
) -> dict[bytes, list[Entry]]:
    """The events of these workspaces; `next` moves behind all. What the relay repeated is passed over.

    Raises JournalGap.
    """
    entries: dict[bytes, list[Entry]] = {}
    for tp, records in found.items():
        at = next[tp.partition]
        for record in records:
            position = position_of(record)
            if position > at:
                raise JournalGap(f"Partition {tp.partition} of the journal lacks position {at}. Tell who runs it.")
            if position == at:
                at += 1
                if (workspace := workspace_of(record.value)) in wanted:
                    entry = Entry(tp.partition, position, record.headers, record.value)
                    entries.setdefault(workspace, []).append(entry)
        next[tp.partition] = at
    return entries
