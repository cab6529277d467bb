"""Transactions fail, deadlock or lose their session."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
from psycopg import AsyncConnection

from tests.chaos.faults import FaultContext, fault

SECONDS = 6.0  # that one injection goes on
SHARE = 0.05  # of the transactions that fail
WITHIN = 10.0  # seconds to the next commit of everybody, counted from the beginning
STUMBLE = """
CREATE SCHEMA IF NOT EXISTS chaos;
CREATE OR REPLACE FUNCTION chaos.stumble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < {share} THEN RAISE EXCEPTION 'injected by the chaos harness' USING ERRCODE = '{code}'; END IF;
  RETURN NULL;
END $$"""
PLANTED = {"core.outbox": "INSERT", "core.checkpoint": "UPDATE"}  # where decide and project must pass
PLANT = "CREATE TRIGGER chaos AFTER {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION chaos.stumble()"
PULL_OUT = "DROP TRIGGER IF EXISTS chaos ON {table}"
SESSIONS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY pid"""
CODES = {"failing-transactions": "P0001", "serialization-failures": "40001"}


@asynccontextmanager
async def session(run: FaultContext) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(run.cluster.dsn, autocommit=True) as conn:
        yield conn


async def fail_transactions(code: str, run: FaultContext) -> None:
    async with session(run) as conn:
        await conn.execute(STUMBLE.format(share=SHARE, code=code).encode())
        try:
            for table, event in PLANTED.items():  # a statement each: two tables' locks at once would be a deadlock
                await conn.execute(PLANT.format(table=table, event=event).encode())
            await run.injected(time.monotonic())
            await asyncio.sleep(SECONDS)
        finally:
            for table in PLANTED:
                await conn.execute(PULL_OUT.format(table=table).encode())


for name, code in CODES.items():
    fault(name, f"One transaction in twenty of decide and project fails with SQLSTATE {code}.", bound=WITHIN)(
        partial(fail_transactions, code)
    )


@fault("lost-sessions", "Postgres ends a random session of a role four times a second.", bound=WITHIN)
async def lost_sessions(run: FaultContext) -> None:
    async with session(run) as conn:
        begun = time.monotonic()
        while time.monotonic() - begun < SECONDS / 2:
            pids = [pid for (pid,) in await (await conn.execute(SESSIONS)).fetchall()]
            if pids:
                await conn.execute("SELECT pg_terminate_backend(%s)", [run.choices.choice(pids)])
            await asyncio.sleep(0.25)
    await run.injected(time.monotonic())


@fault("deadlocks", "Another session locks the journal's counters in the opposite order: real deadlocks.", bound=WITHIN)
async def deadlocks(run: FaultContext) -> None:
    async with session(run) as conn:
        await conn.execute("SET deadlock_timeout = '30s'")  # the other side finds out first, and is the one to fail
        await run.injected(time.monotonic())
        begun, met = time.monotonic(), await deadlock_count(conn)
        while time.monotonic() - begun < SECONDS:
            try:
                async with conn.transaction():
                    for partition in range(11, -1, -1):
                        await conn.execute("SELECT FROM core.journal_head WHERE partition = %s FOR UPDATE", [partition])
                        await asyncio.sleep(0.01)
            except psycopg.errors.DeadlockDetected:
                pass
            await asyncio.sleep(0.2)
        await asyncio.sleep(1)  # Postgres's statistics come late
        run.expect(await deadlock_count(conn) > met, "no deadlock came about: the fault did not happen")


async def deadlock_count(conn: AsyncConnection) -> int:
    """Returns the number of deadlocks that Postgres has counted in this database."""
    counted = await conn.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    (count,) = await counted.fetchone() or (0,)
    return int(count)
