"""The shadow report of tables that move: what events change meanwhile is left out, all else must be equal."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from crm.contract.codec import decode, type_of
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.compare.shadow import Report, report
from streams.rebuild.read.kafka_source import Begin, KafkaSource
from streams.rebuild.write import tables

POSITIONS = "SELECT partition, position + 1, next_offset FROM core.checkpoint WHERE consumer = %s AND topic = %s"
Connection = psycopg.Connection[Any]


async def compare(
    dsn: str, projection: Projection[Any], at: Mapping[int, Begin], bootstrap: str, topic: str
) -> Report | None:
    """What is read now against what was built up to `at`. None while nothing is read."""
    conn = await asyncio.to_thread(tables.connected, dsn)
    try:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        served = await asyncio.to_thread(views.served, conn, projection.name)
        if served is None:
            return None
        rows = await asyncio.to_thread(conn.execute, POSITIONS, [served.table, topic])
        here = {partition: Begin(offset, next_) for partition, next_, offset in rows.fetchall()}
        moving = await between(projection, here, at, bootstrap, topic)
        there = Served(projection.schema, projection.table)
        return await asyncio.to_thread(report, conn, projection, served, there, moving)
    finally:
        conn.close()


async def between(
    projection: Projection[Any],
    here: Mapping[int, Begin],
    there: Mapping[int, Begin],
    bootstrap: str,
    topic: str,
) -> set[Id]:
    """Keys of the events that one of the two has and the other has not."""
    begins = {p: min(here.get(p, Begin()), end, key=lambda b: b.position) for p, end in there.items()}
    until = {p: max(here.get(p, Begin()).position, end.position) for p, end in there.items()}
    keys: set[Id] = set()
    kinds = set(projection.handles)
    async with KafkaSource(bootstrap, topic, begins, until) as source:
        async for slab in source.slabs():
            for value in slab.values.to_list():
                if type_of(value) in kinds:
                    keys.add(projection.key_of(decode(value)))
    return keys
