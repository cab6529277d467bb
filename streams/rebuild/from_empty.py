"""Rebuilds all of Postgres from Kafka alone in a new database, and computes the checksums of both databases."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.kafka.journal_log import next_positions
from crm.adapters.postgres.binary import LONG, uuid
from crm.adapters.postgres.history import CONSUMER
from crm.adapters.postgres.migrations import migrate
from crm.engine import recovery
from crm.topics import COMMITS, JOURNAL
from projections import PROJECTIONS
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition
from streams.rebuild.rebuild import ProgressListener, RebuildPlan, RebuildResult, rebuild
from streams.rebuild.swap import set_checkpoints
from streams.rebuild.write.checksums import checksum
from streams.rebuild.write.copy_binary import SIGNATURE, TRAILER

FOLDED = ("core.fact_seen", "core.state", "core.journal_head", "core.history")
ID = 36  # characters of an id, after a length byte. Each event starts with `meta`: id, workspace, stream
BEGIN = 6  # where the first of them starts, after the frame
TableChecksum = tuple[int, str]  # rows and checksum
Connection = psycopg.Connection[Any]


class FromEmptyResult(msgspec.Struct):
    """Rows and checksum by table: of the new database, and of the present one if it exists."""

    database: str
    made: dict[str, TableChecksum]
    present: dict[str, TableChecksum]
    outcome: RebuildResult

    @property
    def equal(self) -> bool:
        """Returns whether all checksums agree."""
        return self.made == self.present


def name_of(dsn: str) -> str:
    """Returns the database that a connection URL names. Raises ValueError when it names none."""
    name = psycopg.conninfo.conninfo_to_dict(dsn).get("dbname")
    if not isinstance(name, str):
        raise ValueError("The URL names no database. Nothing was changed: complete DATABASE_URL.")
    return name


async def from_empty(
    bootstrap: str,
    dsn: str,
    workers: int,
    budget: int,
    listener: ProgressListener,
    topic: str = JOURNAL.name,
    log: str = COMMITS.name,
) -> FromEmptyResult:
    """Builds the new database, `NAME_rebuilt`, from the journal. Does not change the present database NAME."""
    new = f"{name_of(dsn)}_rebuilt"
    made = psycopg.conninfo.make_conninfo(dsn, dbname=new)
    listener.step("make")
    await asyncio.to_thread(create, dsn, new)
    await asyncio.to_thread(migrate, made, PROJECTIONS.values())
    await recovery.ensure(bootstrap, made, listener.step, topic, log)
    listener.step("history")
    await keep_history(bootstrap, made, topic)
    plan = RebuildPlan(bootstrap, made, tuple(PROJECTIONS), topic, workers=workers, budget=budget, compare=False)
    outcome = await rebuild(plan, listener)
    listener.step("checksums")
    present: dict[str, TableChecksum] = {}
    with suppress(psycopg.OperationalError):
        present = await asyncio.to_thread(checksums, dsn)
    return FromEmptyResult(new, await asyncio.to_thread(checksums, made), present, outcome)


def create(dsn: str, new: str) -> None:
    """Creates an empty database. Drops what an interrupted run left first."""
    drop(dsn, new)
    with maintenance(dsn) as conn:
        conn.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(new)))


def drop(dsn: str, new: str) -> None:
    with maintenance(dsn) as conn:
        conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(new)))


def maintenance(dsn: str) -> Connection:
    return psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True)


async def keep_history(bootstrap: str, dsn: str, topic: str) -> None:
    """Fills core.history by COPY; otherwise the project role fills it record by record."""
    until = await next_positions(bootstrap, topic, dict.fromkeys(range(JOURNAL.partitions), 0))
    at = dict.fromkeys(until, ReadPosition())
    with psycopg.connect(dsn) as conn:
        async with KafkaSource(bootstrap, topic, at, until) as source:
            async for chunk in source.chunks():
                with conn.cursor().copy("COPY core.history FROM STDIN (FORMAT binary)") as copy:
                    rows = map(pack_history, enumerate(chunk.values.to_list(), chunk.first))
                    copy.write(b"".join((SIGNATURE, *rows, TRAILER)))
                at[chunk.partition] = ReadPosition(chunk.next_offset, chunk.end)
        set_checkpoints(conn, CONSUMER, topic, at)


def pack_history(record: tuple[int, bytes]) -> bytes:
    """Packs a row of core.history for binary COPY: workspace, stream, position, event."""
    position, value = record
    workspace, stream = (value[at : at + ID].decode() for at in (BEGIN + ID + 1, BEGIN + 2 * (ID + 1)))
    size = len(value).to_bytes(4, "big")
    return b"".join((b"\0\4", uuid(workspace), uuid(stream), LONG.pack(8, position), size, value))


def checksums(dsn: str) -> dict[str, TableChecksum]:
    """Returns the checksums of all tables derived from the journal, in one snapshot."""
    with psycopg.connect(dsn, application_name="crm rebuild") as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        names = [*FOLDED, *(f"read.{projection.table}" for projection in PROJECTIONS.values())]
        return {name: checksum(conn, *name.split(".")) for name in names}
