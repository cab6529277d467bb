"""All of Postgres from Kafka alone: a new database beside the present one, and the checksums of both."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.kafka.journal_log import next_positions
from crm.adapters.postgres.history import CONSUMER
from crm.adapters.postgres.migrations import migrate
from crm.engine import recovery as recall
from crm.topics import COMMITS, JOURNAL
from projections import PROJECTIONS
from streams.rebuild import swap as swapping
from streams.rebuild.read.kafka_source import Begin, KafkaSource
from streams.rebuild.rebuild import Outcome, Plan, Told, rebuild
from streams.rebuild.write.checksums import checksum
from streams.rebuild.write.copy_binary import LONG, SIGNATURE, TRAILER, uuid

FOLDED = ("core.fact_seen", "core.state", "core.journal_head", "core.history")
ID = 36  # characters of an id, behind the byte of its length; `meta` opens each event with id, workspace, stream
BEGIN = 6  # where the first of them begins, behind the frame
Sum = tuple[int, str]  # rows and checksum
Connection = psycopg.Connection[Any]


class Whole(msgspec.Struct):
    """Rows and checksum by table: of the database that was made, and of the present one if it is there."""

    database: str
    made: dict[str, Sum]
    present: dict[str, Sum]
    outcome: Outcome

    @property
    def equal(self) -> bool:
        return self.made == self.present


def name_of(dsn: str) -> str:
    """Raises ValueError when the address names none."""
    name = psycopg.conninfo.conninfo_to_dict(dsn).get("dbname")
    if not isinstance(name, str):
        raise ValueError("The address names no database. Nothing was changed: complete DATABASE_URL.")
    return name


async def from_empty(
    bootstrap: str, dsn: str, workers: int, budget: int, told: Told, topic: str = JOURNAL.name, log: str = COMMITS.name
) -> Whole:
    """The new database has the present one's name with `_rebuilt` behind it. Until then nothing has changed."""
    new = f"{name_of(dsn)}_rebuilt"
    made = psycopg.conninfo.make_conninfo(dsn, dbname=new)
    told.step("make")
    await asyncio.to_thread(create, dsn, new)
    await asyncio.to_thread(migrate, made, PROJECTIONS.values())
    await recall.ensure(bootstrap, made, told.step, topic, log)
    told.step("history")
    await keep_history(bootstrap, made, topic)
    plan = Plan(bootstrap, made, tuple(PROJECTIONS), topic, workers=workers, budget=budget, compare=False)
    outcome = await rebuild(plan, told)
    told.step("checksums")
    present: dict[str, Sum] = {}
    with suppress(psycopg.OperationalError):
        present = await asyncio.to_thread(checksums, dsn)
    return Whole(new, await asyncio.to_thread(checksums, made), present, outcome)


def create(dsn: str, new: str) -> None:
    """Empty. What an ended run left is dropped first."""
    drop(dsn, new)
    with maintenance(dsn) as conn:
        conn.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(new)))


def drop(dsn: str, new: str) -> None:
    with maintenance(dsn) as conn:
        conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(new)))


def maintenance(dsn: str) -> Connection:
    return psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True)


async def keep_history(bootstrap: str, dsn: str, topic: str) -> None:
    """core.history, which the project role otherwise fills record by record."""
    until = await next_positions(bootstrap, topic, dict.fromkeys(range(JOURNAL.partitions), 0))
    at = dict.fromkeys(until, Begin())
    with psycopg.connect(dsn) as conn:
        async with KafkaSource(bootstrap, topic, at, until) as source:
            async for slab in source.slabs():
                with conn.cursor().copy("COPY core.history FROM STDIN (FORMAT binary)") as copy:
                    rows = map(packed, enumerate(slab.values.to_list(), slab.first))
                    copy.write(b"".join((SIGNATURE, *rows, TRAILER)))
                at[slab.partition] = Begin(slab.next_offset, slab.end)
        swapping.hand_over(conn, CONSUMER, topic, at)


def packed(given: tuple[int, bytes]) -> bytes:
    """One row of core.history: workspace, stream, position, event."""
    position, value = given
    workspace, stream = (value[at : at + ID].decode() for at in (BEGIN + ID + 1, BEGIN + 2 * (ID + 1)))
    size = len(value).to_bytes(4, "big")
    return b"".join((b"\0\4", uuid(workspace), uuid(stream), LONG.pack(8, position), size, value))


def checksums(dsn: str) -> dict[str, Sum]:
    """Of everything that is a fold of the journal, at one moment."""
    with psycopg.connect(dsn, application_name="crm rebuild") as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        places = [*FOLDED, *(f"read.{projection.table}" for projection in PROJECTIONS.values())]
        return {place: checksum(conn, *place.split(".")) for place in places}
