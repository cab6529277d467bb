"""Checkpoints: the progress of each consumer, stored in the database with its effects and moved in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres.binary import array
from crm.errors import Broken

ENSURE = """
INSERT INTO core.checkpoint (consumer, topic, partition)
SELECT c, t, p FROM unnest(%s::text[]) AS c, unnest(%s::text[], %s::int[]) AS tp (t, p)
WHERE NOT EXISTS (SELECT FROM core.building AS b WHERE b.consumer = c) ON CONFLICT DO NOTHING"""
READ = """
SELECT array_agg(consumer), topic, partition, next_offset, position, failed IS NOT NULL AS failed FROM (
  SELECT * FROM core.checkpoint
  WHERE consumer = ANY (%s) AND (topic, partition) IN (SELECT * FROM unnest(%s::text[], %s::int[]))
  ORDER BY consumer, topic, partition{lock}
) AS found GROUP BY topic, partition, next_offset, position, failed IS NOT NULL"""
MOVE = """
UPDATE core.checkpoint AS c SET next_offset = m.next_offset, position = m.position
FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS m (topic, partition, next_offset, position)
WHERE c.consumer = ANY (%s) AND (c.topic, c.partition) = (m.topic, m.partition)"""
FAIL = "UPDATE core.checkpoint SET failed = %s WHERE consumer = %s"
BUILDING = "SELECT count(*) FROM core.building WHERE consumer = ANY (%s)"
FAILED = "SELECT DISTINCT consumer FROM core.checkpoint WHERE consumer = ANY (%s) AND failed IS NOT NULL"
HEAL = "UPDATE core.checkpoint SET failed = NULL WHERE consumer = ANY (%s) AND failed IS NOT NULL"

Record = Any  # aiokafka's ConsumerRecord has no types


class Partition(NamedTuple):
    """A topic partition. Equal to Faust's and aiokafka's own (topic, partition) pairs."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The next offset to read, and the journal position of the last record that took effect (-1 if none)."""

    next_offset: int
    position: int


class LogMismatch(Broken):
    """A checkpoint contradicts the log: the topic was truncated, expired or recreated."""


Checkpoints = dict[tuple[str, Partition], Checkpoint]


class Place:
    """The consumers that are at one checkpoint of a partition, and what they take on from there.

    Nearly all consumers of a role are at the same one, so most of what is done for each is done once for all.
    """

    def __init__(self, consumers: tuple[str, ...], partition: Partition, at: Checkpoint) -> None:
        self.consumers, self.partition, self.at = consumers, partition, at
        self.taken: list[list[Record]] = []

    def take(self, records: Sequence[Record], positioned: bool) -> None:
        """Moves on over these records. Raises LogMismatch."""
        new, after = select_new(records, self.at, positioned)
        if after != self.at:
            self.at = after
            self.taken.append(new)


async def ensure(conn: AsyncConnection, consumers: Sequence[str], partitions: Iterable[Partition]) -> None:
    """Creates missing checkpoints, except for consumers that a rebuild is building."""
    await conn.execute(ENSURE, [list(consumers), *columns(partitions)])


async def clear_failures(conn: AsyncConnection, consumers: Sequence[str]) -> None:
    """Lets halted consumers try again. Called when a role starts, perhaps with a fixed fold."""
    await conn.execute(HEAL, [list(consumers)])


async def read(
    conn: AsyncConnection, consumers: Sequence[str], partitions: Collection[Partition]
) -> tuple[Checkpoints, set[Partition]]:
    """Returns the checkpoints of consumers that are not halted, and what `read_places` returns besides."""
    places, missing = await read_places(conn, consumers, partitions)
    found = {(consumer, place.partition): place.at for place in places for consumer in place.consumers}
    return dict(sorted(found.items())), missing


async def read_places(
    conn: AsyncConnection, consumers: Sequence[str], partitions: Collection[Partition], lock: str = ""
) -> tuple[list[Place], set[Partition]]:
    """Returns where consumers are that are not halted. With " FOR UPDATE" it stays locked until the commit.

    Also returns the partitions for which some consumer has no checkpoint, as in a new database. Consumers that a
    rebuild is building have none either; these do not count.
    """
    query = READ.format(lock=lock).encode()
    rows = await (await conn.execute(query, [list(consumers), *columns(partitions)])).fetchall()
    present: Counter[Partition] = Counter()
    found = []
    for names, topic, number, offset, position, failed in rows:
        partition = Partition(topic, number)
        present[partition] += len(names)
        if not failed:
            found.append(Place(tuple(sorted(names)), partition, Checkpoint(offset, position)))
    expected = len(consumers)
    if any(present[partition] < expected for partition in partitions):
        ((building,),) = await (await conn.execute(BUILDING, [list(consumers)])).fetchall()
        expected -= building
    return found, {partition for partition in partitions if present[partition] < expected}


async def halted_consumers(conn: AsyncConnection, consumers: Sequence[str]) -> set[str]:
    """Returns the consumers that are halted."""
    return {name for (name,) in await (await conn.execute(FAILED, [list(consumers)])).fetchall()}


async def move(conn: AsyncConnection, places: Iterable[Place], halted: Collection[str] = ()) -> Checkpoints:
    """Writes where consumers are now in the caller's transaction, but for halted ones. Returns that."""
    together: dict[tuple[str, ...], list[Place]] = {}
    for place in places:
        together.setdefault(place.consumers, []).append(place)
    moved: Checkpoints = {}
    for consumers, found in together.items():
        if going := [consumer for consumer in consumers if consumer not in halted]:
            rows = [(*place.partition, place.at.next_offset, place.at.position) for place in found]
            kinds = ("text", "bigint", "bigint", "bigint")
            given = [array(kind, values) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)]
            await conn.execute(MOVE, [*given, going])
            moved |= {(consumer, place.partition): place.at for place in found for consumer in going}
    return moved


async def halt(conn: AsyncConnection, consumer: str, why: str) -> None:
    """Halts this consumer until its role is restarted."""
    await conn.execute(FAIL, [why, consumer])


def lowest_offsets(checkpoints: Checkpoints) -> dict[Partition, int]:
    """Returns the next offset of the slowest consumer by partition. Reading starts there."""
    found: dict[Partition, int] = {}
    for (_, partition), at in checkpoints.items():
        found[partition] = min(at.next_offset, found.get(partition, at.next_offset))
    return found


def columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    pairs = list(partitions)
    return [topic for topic, _ in pairs], [partition for _, partition in pairs]


def select_new(records: Sequence[Record], at: Checkpoint, positioned: bool) -> tuple[list[Record], Checkpoint]:
    """Returns the records that have had no effect yet, and the checkpoint after them.

    In the journal a suffix may be repeated, so a record counts only if its position is the last one + 1. Raises
    LogMismatch for a gap.
    """
    todo = [r for r in records if r.offset >= at.next_offset]
    if not todo:
        return [], at
    position = at.position
    if positioned:
        taken = []
        for record in todo:
            found = position_of(record)
            if found > position + 1:
                raise LogMismatch(
                    f"{record.topic}/{record.partition}: position {found} follows {position} "
                    f"at offset {record.offset}. Nothing was applied. Restore what the journal lacks from an archive."
                )
            if found == position + 1:
                taken.append(record)
                position = found
        return taken, Checkpoint(todo[-1].offset + 1, position)
    return todo, Checkpoint(todo[-1].offset + 1, position)


def require_within_log(offsets: Mapping[Partition, int], first: Mapping[Any, int], end: Mapping[Any, int]) -> None:
    """Raises LogMismatch when a checkpoint is outside of the log's offsets."""
    for partition, offset in offsets.items():
        if not first[partition] <= offset <= end[partition]:
            raise LogMismatch(
                f"{partition.topic}/{partition.partition}: the checkpoint says {offset}, the log has "
                f"{first[partition]} to {end[partition]}. Nothing was read. Restore the topic or its database."
            )


def as_they_came(places: Iterable[Place], partitions: Iterable[Partition]) -> list[Place]:
    """Returns the places that take on records, in the order in which their partitions came: a form and its payment are
    in two topics, and the payment waits for the form when it is decided first."""
    order = {partition: number for number, partition in enumerate(dict.fromkeys(partitions))}
    return sorted((place for place in places if place.taken), key=lambda place: order[place.partition])


def new_records(places: Iterable[Place]) -> Mapping[str, Sequence[Record]]:
    """Returns what each consumer takes on, in the order of their names. Those that take on the same share a list."""
    parts: dict[str, list[list[Record]]] = {}
    for place in places:
        for consumer in place.consumers:
            parts.setdefault(consumer, []).extend(place.taken)
    lists: dict[tuple[int, ...], list[Record]] = {}
    found = {}
    for consumer in sorted(parts):
        same = tuple(map(id, parts[consumer]))
        if same not in lists:
            lists[same] = [*chain(*parts[consumer])]
        found[consumer] = lists[same]
    return found
