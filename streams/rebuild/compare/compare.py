"""Compares a rebuilt table with the one that is read, while both change. Rows changed meanwhile are left out."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.contract.codec import decode, type_of
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.compare.shadow import ShadowReport, compare_rows
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition
from streams.rebuild.write import tables

POSITIONS = "SELECT partition, position + 1, next_offset FROM core.checkpoint WHERE consumer = %s AND topic = %s"
Connection = psycopg.Connection[Any]


async def compare_tables(
    dsn: str, projection: Projection[Any], at: Mapping[int, ReadPosition], bootstrap: str, topic: str
) -> ShadowReport | None:
    """Compares what is read now with what was built up to `at`. Returns None while nothing is read."""
    conn = await asyncio.to_thread(tables.connected, dsn)
    try:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        served = await asyncio.to_thread(views.served, conn, projection.name)
        if served is None:
            return None
        rows = await asyncio.to_thread(conn.execute, POSITIONS, [served.table, topic])
        live = {partition: ReadPosition(offset, next_) for partition, next_, offset in rows.fetchall()}
        moving = await keys_between(projection, live, at, bootstrap, topic)
        rebuilt = Served(projection.schema, projection.table)
        return await asyncio.to_thread(compare_rows, conn, projection, served, rebuilt, moving)
    finally:
        conn.close()


async def keys_between(
    projection: Projection[Any],
    live: Mapping[int, ReadPosition],
    rebuilt: Mapping[int, ReadPosition],
    bootstrap: str,
    topic: str,
) -> set[Id]:
    """Returns the row keys of events that one of the two tables holds and the other does not."""
    begins = {p: min(live.get(p, ReadPosition()), end, key=lambda b: b.position) for p, end in rebuilt.items()}
    until = {p: max(live.get(p, ReadPosition()).position, end.position) for p, end in rebuilt.items()}
    keys: set[Id] = set()
    kinds = set(projection.handles)
    async with KafkaSource(bootstrap, topic, begins, until) as source:
        async for chunk in source.chunks():
            for value in chunk.values.to_list():
                if type_of(value) in kinds:
                    keys.add(projection.key_of(decode(value)))
    return keys
