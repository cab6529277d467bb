"""How far each consumer is, in the database that holds its effects: both move in one transaction or not at all."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres.state import as_json
from crm.errors import Broken

ENSURE = """
INSERT INTO core.checkpoint (consumer, topic, partition)
SELECT c, t, p FROM unnest(%s::text[]) AS c, unnest(%s::text[], %s::int[]) AS tp (t, p)
WHERE NOT EXISTS (SELECT FROM core.building AS b WHERE b.consumer = c) ON CONFLICT DO NOTHING"""
READ = """
SELECT consumer, topic, partition, next_offset, position, failed IS NOT NULL FROM core.checkpoint
WHERE consumer = ANY (%s) AND (topic, partition) IN (SELECT * FROM unnest(%s::text[], %s::int[]))
ORDER BY consumer, topic, partition"""
MOVE = """
UPDATE core.checkpoint AS c SET next_offset = m.next_offset, position = m.position
FROM json_to_recordset(%s) AS m (consumer text, topic text, partition int, next_offset bigint, position bigint)
WHERE (c.consumer, c.topic, c.partition) = (m.consumer, m.topic, m.partition)"""
FAIL = "UPDATE core.checkpoint SET failed = %s WHERE consumer = %s"
BUILDING = "SELECT count(*) FROM core.building WHERE consumer = ANY (%s)"
FAILED = "SELECT DISTINCT consumer FROM core.checkpoint WHERE consumer = ANY (%s) AND failed IS NOT NULL"
HEAL = "UPDATE core.checkpoint SET failed = NULL WHERE consumer = ANY (%s) AND failed IS NOT NULL"

Record = Any  # aiokafka's ConsumerRecord has no types


class Partition(NamedTuple):
    """Equal to Faust's and aiokafka's own (topic, partition) pairs."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The next offset to read, and the journal position of the last record that took effect (-1: none)."""

    next_offset: int
    position: int


class LogMismatch(Broken):
    """A checkpoint and the log contradict each other: the topic was truncated, expired or recreated."""


Places = dict[tuple[str, Partition], Checkpoint]


async def ensure(conn: AsyncConnection, consumers: Sequence[str], partitions: Iterable[Partition]) -> None:
    await conn.execute(ENSURE, [list(consumers), *columns(partitions)])


async def heal(conn: AsyncConnection, consumers: Sequence[str]) -> None:
    """At a start: a consumer that stood still tries again, perhaps with a mended fold."""
    await conn.execute(HEAL, [list(consumers)])


async def read(
    conn: AsyncConnection, consumers: Sequence[str], partitions: Collection[Partition], lock: str = ""
) -> tuple[Places, set[Partition]]:
    """Of the consumers that do not stand still. With " FOR UPDATE" nobody else passes these until the commit.

    Also the partitions that some consumer has no checkpoint for: this database was made anew. Consumers that a rebuild
    still makes have none either, and are not waited for.
    """
    rows = await (await conn.execute(READ + lock, [list(consumers), *columns(partitions)])).fetchall()
    there = Counter(Partition(topic, partition) for _, topic, partition, *_ in rows)
    expected = len(consumers)
    if any(there[partition] < expected for partition in partitions):
        ((building,),) = await (await conn.execute(BUILDING, [list(consumers)])).fetchall()
        expected -= building
    places = {
        (consumer, Partition(topic, partition)): Checkpoint(offset, position)
        for consumer, topic, partition, offset, position, failed in rows
        if not failed
    }
    return places, {partition for partition in partitions if there[partition] < expected}


async def standing(conn: AsyncConnection, consumers: Sequence[str]) -> set[str]:
    """Those that stand still."""
    return {name for (name,) in await (await conn.execute(FAILED, [list(consumers)])).fetchall()}


async def move(conn: AsyncConnection, places: Places) -> None:
    moved = [
        {"consumer": consumer, **partition._asdict(), "next_offset": at.next_offset, "position": at.position}
        for (consumer, partition), at in places.items()
    ]
    await conn.execute(MOVE, [as_json(moved)])


async def fail(conn: AsyncConnection, consumer: str, why: str) -> None:
    """This consumer stands still from here on, until its role is started again."""
    await conn.execute(FAIL, [why, consumer])


def lowest(places: Places) -> dict[Partition, int]:
    """Where the slowest consumer of each partition is: reading begins there."""
    found: dict[Partition, int] = {}
    for (_, partition), at in places.items():
        found[partition] = min(at.next_offset, found.get(partition, at.next_offset))
    return found


def columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    pairs = list(partitions)
    return [topic for topic, _ in pairs], [partition for _, partition in pairs]


def fresh(records: Sequence[Record], at: Checkpoint, positioned: bool) -> tuple[list[Record], Checkpoint]:
    """The records that have had no effect yet, and the checkpoint behind them.

    In the journal a suffix may be repeated, so there a record counts only as `position = last + 1`.
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


def within(offsets: Mapping[Partition, int], first: Mapping[Any, int], end: Mapping[Any, int]) -> None:
    """Raises LogMismatch when a checkpoint points to where the log is not."""
    for partition, offset in offsets.items():
        if not first[partition] <= offset <= end[partition]:
            raise LogMismatch(
                f"{partition.topic}/{partition.partition}: the checkpoint says {offset}, the log has "
                f"{first[partition]} to {end[partition]}. Nothing was read. Restore the topic or its database."
            )
