"""The project role without Kafka, and the rows it must produce."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from crm.adapters.postgres import read_models
from crm.envelope import Event, Row
from crm.projection import Projection
from crm.scalars import Id
from crm.settings import Settings
from crm.topics import JOURNAL
from projections import PROJECTIONS
from streams.project import Project
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Partition
from streams.runtime.loop import ConsumerLoop
from streams.runtime.sessions import REFUSED
from tests.support.records import Fetched, Record

Rows = dict[tuple[str, str, str], Row]  # projection, workspace, key
Every = Iterable[Projection[Any]]
PARTITIONS = [Partition(JOURNAL.name, n) for n in range(JOURNAL.partitions)]
ALL = tuple(PROJECTIONS.values())


class ProjectRole:
    """Applies whole fetches from a list, one transaction per batch."""

    def __init__(self, conn: AsyncConnection, projections: Every = ALL) -> None:
        self.conn = conn
        self.consumption = ConsumerLoop("project", [JOURNAL.name], Project(projections), Settings())
        self.consumers = self.consumption.handler.consumers

    async def start(self) -> "ProjectRole":
        await checkpoints.ensure(self.conn, self.consumers, PARTITIONS)
        await checkpoints.clear_failures(self.conn, self.consumers)
        return self

    async def catch_up(self, log: Sequence[Record], size: int = 500) -> None:
        """Starts from the slowest consumer, as a start or a rewind does."""
        places, _ = await checkpoints.read(self.conn, self.consumers, PARTITIONS)
        begin = checkpoints.lowest_offsets(places)
        todo = [r for r in log if r.offset >= begin.get(Partition(r.topic, r.partition), len(log))]
        for n in range(0, len(todo), size):
            await self.batch(todo[n : n + size])

    def fetches(self, records: Sequence[Record]) -> Any:
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        return [Fetched(part) for part in by_partition.values()]

    async def batch(self, records: Sequence[Record]) -> None:
        fetches, careful = self.fetches(records), False
        while True:
            try:
                async with self.conn.pipeline(), self.conn.transaction():
                    _, skipped = await self.consumption.apply(self.conn, fetches, careful)
                assert not skipped
                return
            except (*REFUSED, UniqueViolation):
                assert not careful, "the careful try must come through"
                careful = True


async def role(conn: AsyncConnection, projections: Every = ALL) -> ProjectRole:
    return await ProjectRole(conn, projections).start()


async def stored(conn: AsyncConnection, wanted: Iterable[tuple[str, str, str]]) -> Rows:
    """Reads rows as the role reads them."""
    found: Rows = {}
    for projection in ALL:
        keys = [(Id(w), Id(k)) for name, w, k in wanted if name == projection.name]
        rows = await conn.execute(read_models.load(projection).encode(), read_models.packed_keys(keys))
        read = read_models.reader(projection)
        for workspace, text in await rows.fetchall():
            row = read(text)
            found[projection.name, workspace, getattr(row, projection.key)] = row
    return found


def comparable(rows: Rows) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Returns the rows with their JSON texts as values: Postgres keeps neither blanks nor the order of names."""
    found = {}
    for key, row in rows.items():
        columns = msgspec.structs.asdict(row)
        for name in PROJECTIONS[key[0]].json_columns:
            columns[name] = {n: json.loads(text, parse_float=str, parse_int=str) for n, text in columns[name].items()}
        found[key] = columns
    return found


async def count_rows(conn: AsyncConnection, workspace: Id) -> int:
    """Counts all rows of a workspace."""
    tables = " UNION ALL ".join(f"SELECT workspace FROM read.{p.table}" for p in ALL)
    rows = await conn.execute(f"SELECT count(*) FROM ({tables}) AS t WHERE workspace = %s".encode(), [workspace])
    ((count,),) = await rows.fetchall()
    return int(count)


async def failures(conn: AsyncConnection) -> dict[str, str]:
    """Returns why each stopped consumer has stopped."""
    rows = await conn.execute("SELECT DISTINCT consumer, failed FROM core.checkpoint WHERE failed IS NOT NULL")
    return dict(await rows.fetchall())


async def records_processed(conn: AsyncConnection, consumer: str) -> int:
    """Returns the number of records that the consumer has processed."""
    rows = await conn.execute("SELECT sum(next_offset) FROM core.checkpoint WHERE consumer = %s", [consumer])
    ((count,),) = await rows.fetchall()
    return int(count)


def in_memory(events: Iterable[Event]) -> Rows:
    rows: dict[tuple[str, str, str], Row | None] = {}
    for event in events:
        for projection in ALL:
            if type(event) in projection.handles:
                key = projection.name, event.meta.workspace, projection.key_of(event)
                rows[key] = projection.fold(rows.get(key), event)
    return {key: row for key, row in rows.items() if row is not None}
