"""Reads the journal from Kafka: one shared reader for all live followers, a separate one for each that catches up.

Followers have no queues. The latest events are kept once for all of them, up to KEPT bytes; a follower that is slower
reads on from Kafka, where everything is, and then joins the others again. Without followers nothing is read.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from typing import Any, NamedTuple

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from api.errors import ApiError, BadCursor, TooMuch
from api.live.journal_entry import JournalEntry, workspace_of
from api.live.positions import Positions
from crm.adapters.kafka.journal_log import position_of
from crm.adapters.kafka.reading import open_consumer
from crm.topics import JOURNAL

RETRY_SECONDS = 0.5
PAUSE = 0.02  # seconds between two fetches under load: fewer, larger ones cost a quarter of many small ones
QUIET = 1.0  # seconds after which a follower gets an empty result
RECORDS = 500  # of one fetch
FETCH = 128 * 1024  # bytes of one partition at a time, unless one record is larger
KEPT = 8_000_000  # bytes of events kept for live followers
OVERHEAD = 500  # bytes of an entry in addition to its value
FOLLOWERS = 200  # per process; each may need its own consumer to catch up
SCREENS = 5_000  # per process: they read little, and catch up a few at a time
CATCHING_UP = 50  # screens that have a consumer of their own at a time

log = structlog.get_logger()


class JournalGap(ApiError):
    """Events are missing in the journal."""

    code = "JOURNAL_GAP"


class JournalSlice(NamedTuple):
    """A part of the journal: where it ends, and the events in it of the followed workspaces."""

    ends: Positions
    entries: Mapping[bytes, list[JournalEntry]]

    @property
    def weight(self) -> int:
        return OVERHEAD + sum(OVERHEAD + len(e.value) for some in self.entries.values() for e in some)


class Journal:
    """The journal reader of one process. It connects while there are followers."""

    def __init__(self, bootstrap: str, topic: str = JOURNAL.name, partitions: int = JOURNAL.partitions) -> None:
        self.bootstrap, self.topic = bootstrap, topic
        self.partitions = range(partitions)
        self.followed: Counter[bytes] = Counter()  # workspaces
        self.screens = 0  # of them
        self.turn = asyncio.Semaphore(CATCHING_UP)
        self.reset()

    def reset(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.reader: Any = None  # the live reader's consumer
        self.at: dict[int, int] = {}  # the live reader's next position of each partition, once known
        self.kept: deque[JournalSlice] = deque()
        self.weight = self.count = 0  # count: of all slices so far
        self.moved = asyncio.Event()
        self.broken: ApiError | None = None

    @property
    def known(self) -> bool:
        return len(self.at) == len(self.partitions)

    @property
    def positions(self) -> Positions:
        return tuple(self.at[p] for p in self.partitions)

    async def follow(
        self, workspace: str, after: Positions | None, screen: bool = False
    ) -> AsyncGenerator[tuple[Positions, list[JournalEntry]]]:
        """Yields events and the positions where they end, forever. Each event after `after` comes once, in the order
        of its partition.

        Yields at least once a second, possibly without events, as the positions may have moved. Waits while Kafka is
        away. `screen`: it is one of many that read little.
        """
        key = workspace.encode()
        async with self.following(key, screen):
            while not self.known:
                await self.wait_for_events()
            at = self.positions if after is None else await self.checked_end(after)
            yield at, []
            while True:
                number, joined = self.count, self.positions
                turn = self.turn if screen and any(map(int.__lt__, at, joined)) else nullcontext()
                async with turn, aclosing(self.read_range(at, joined, {key})) as earlier:
                    async for part in earlier:
                        at = part.ends
                        yield at, part.entries.get(key, [])
                while number >= self.count - len(self.kept):  # else it is no longer kept: catch up again
                    found: list[JournalEntry] = []
                    for part in self.since(number):
                        found += (e for e in part.entries.get(key, ()) if e.position >= at[e.partition])
                        at = tuple(map(max, at, part.ends))
                        number += 1
                        if len(found) >= RECORDS:
                            break
                    yield at, found
                    if number == self.count:
                        await self.wait_for_events()

    async def read_range(
        self, at: Positions, until: Positions, wanted: Collection[bytes]
    ) -> AsyncGenerator[JournalSlice]:
        """Yields the events between two positions; the last slice may end later. Waits while Kafka is away.

        Raises JournalGap.
        """
        while behind := [p for p in self.partitions if at[p] < until[p]]:
            try:
                async with self.consumer() as consumer:
                    self.begin(consumer, {p: at[p] for p in behind})
                    while any(at[p] < until[p] for p in behind):
                        found = await consumer.getmany(timeout_ms=1000, max_records=RECORDS)
                        next = dict(enumerate(at))
                        entries = take_entries(found, next, wanted)
                        at = tuple(next.values())
                        if found:
                            yield JournalSlice(at, entries)
            except OffsetOutOfRangeError as error:
                what = f"The journal in Kafka does not have these offsets: {error}"
                raise JournalGap(f"{what}. Report this to the operator.") from None
            except (KafkaError, OSError) as error:
                log.warning("the journal cannot be read; retrying", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    @asynccontextmanager
    async def following(self, key: bytes, screen: bool) -> AsyncIterator[None]:
        if not screen and self.followed.total() - self.screens >= FOLLOWERS:
            raise TooMuch(f"{FOLLOWERS} subscriptions already follow the journal, which is the limit. Try again later.")
        if screen and self.screens >= SCREENS:
            raise TooMuch(f"{SCREENS} screens are open already, which is the limit. Try again later.")
        self.followed[key] += 1
        self.screens += screen
        if self.task is None or self.task.done():
            self.reset()
            self.task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            self.followed[key] -= 1
            self.screens -= screen
            self.followed += Counter()  # drops workspaces without followers
            if not self.followed and (task := self.task):
                self.reset()
                task.cancel()
                await asyncio.wait([task])

    async def wait_for_events(self) -> None:
        """Waits until the reader moves, at most a second. Raises JournalGap."""
        if self.broken:
            raise self.broken
        try:
            async with asyncio.timeout(QUIET):
                await self.moved.wait()
        except TimeoutError:
            pass

    def since(self, number: int) -> list[JournalSlice]:
        return [self.kept[n] for n in range(number - self.count, 0)]  # from the end, where a deque is fast

    async def checked_end(self, after: Positions) -> Positions:
        """Returns `after`. Raises BadCursor when it is beyond the end of the journal in Kafka.

        Another process's reader may be ahead of ours.
        """
        if any(map(int.__gt__, after, self.positions)) and self.reader:
            try:
                ends = await self.reader.end_offsets([TopicPartition(self.topic, p) for p in self.partitions])
            except KafkaError:
                return after
            if any(after[tp.partition] > end for tp, end in ends.items()):
                raise BadCursor("This cursor is beyond the journal, which was replaced. Subscribe without a cursor.")
        return after

    async def run(self) -> None:
        """Runs the live reader while there are followers."""
        while not self.broken:
            try:
                async with self.consumer() as self.reader:
                    await self.read(self.reader)
            except JournalGap as error:
                log.error("the journal has a gap; subscriptions to it fail", error=error.message)
                self.broken = error
                self.wake()
            except (KafkaError, OSError) as error:
                self.reader = None
                log.warning("the journal cannot be followed; retrying", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def read(self, consumer: Any) -> None:
        """Reads on from the last positions, or from the last event of each partition, whose position it takes."""
        ends = await consumer.end_offsets([TopicPartition(self.topic, p) for p in self.partitions])
        self.at |= {tp.partition: 0 for tp, end in ends.items() if not end}
        self.begin(consumer, {tp.partition: self.at.get(tp.partition, end - 1) for tp, end in ends.items()})
        while True:
            self.wake()
            if found := await consumer.getmany(timeout_ms=1000, max_records=RECORDS):
                for tp, records in found.items():
                    self.at.setdefault(tp.partition, position_of(records[0]) + 1)
                entries = take_entries(found, self.at, self.followed)
                if self.known:
                    self.keep(JournalSlice(self.positions, entries))
                await asyncio.sleep(PAUSE)

    def keep(self, part: JournalSlice) -> None:
        self.kept.append(part)
        self.count += 1
        self.weight += part.weight
        while self.weight > KEPT:
            self.weight -= self.kept.popleft().weight

    def wake(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()

    def begin(self, consumer: Any, offsets: Mapping[int, int]) -> None:
        """Seeks to positions, used as offsets: repeated records only add offsets, so no event comes before its own."""
        consumer.assign([TopicPartition(self.topic, p) for p in offsets])
        for partition, offset in offsets.items():
            consumer.seek(TopicPartition(self.topic, partition), offset)

    def consumer(self) -> AbstractAsyncContextManager[Any]:
        return open_consumer(
            self.bootstrap,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH,
            fetch_max_wait_ms=500,
            request_timeout_ms=10_000,
        )


def take_entries(
    found: Mapping[Any, Sequence[Any]], next: dict[int, int], wanted: Collection[bytes]
) -> dict[bytes, list[JournalEntry]]:
    """Returns the events of these workspaces, and moves `next` past all records. Skips what the relay repeated.

    Raises JournalGap.
    """
    entries: dict[bytes, list[JournalEntry]] = {}
    for tp, records in found.items():
        at = next[tp.partition]
        for record in records:
            position = position_of(record)
            if position > at:
                where = f"Partition {tp.partition} of the journal"
                raise JournalGap(f"{where} lacks position {at}. Report this to the operator.")
            if position == at:
                at += 1
                if (workspace := workspace_of(record.value)) in wanted:
                    entry = JournalEntry(tp.partition, position, record.headers, record.value)
                    entries.setdefault(workspace, []).append(entry)
        next[tp.partition] = at
    return entries
