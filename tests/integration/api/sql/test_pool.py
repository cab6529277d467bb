"""The API's connection pool on real Postgres: reuse by workspace, replacement of dead connections, waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from api.sql.database import pool
from api.sql.pool import Connection, Pool
from tests.support.shop_rows import OTHER, SHOP
from tests.support.timeouts import TIMEOUT

SHOWN = "SELECT current_setting('app.workspace') AS workspace, pg_backend_pid() AS process"


async def shown(connection: Connection) -> tuple[str, int]:
    """Whose rows it shows, and which process of Postgres it is."""
    row = await (await connection.execute(SHOWN)).fetchone()
    assert row
    return row["workspace"], row["process"]


def on_a_pool(dsn: str, size: int, test: Callable[[Pool], Awaitable[Any]]) -> None:
    async def run() -> None:
        made = pool(dsn, size)
        await made.open()
        try:
            await test(made)
            assert len(made.idle) == made.count <= size  # none is lost
        finally:
            await made.close()

    asyncio.run(run())


def test_a_connection_is_given_to_those_of_its_workspace_first(database_url: str) -> None:
    async def test(pool: Pool) -> None:
        ours, theirs = await pool.run(SHOP, shown), await pool.run(OTHER, shown)
        assert (ours[0], theirs[0]) == (SHOP, OTHER)
        assert [await pool.run(SHOP, shown), await pool.run(OTHER, shown)] == [ours, theirs]

    on_a_pool(database_url, 2, test)


def test_one_connection_serves_many_workspaces(database_url: str) -> None:
    async def test(pool: Pool) -> None:
        workspaces = [SHOP, OTHER] * 10
        found = await asyncio.gather(*(pool.run(workspace, shown) for workspace in workspaces))
        assert [workspace for workspace, _ in found] == workspaces
        assert len({process for _, process in found}) == 1

    on_a_pool(database_url, 1, test)


def test_a_read_goes_on_though_every_connection_was_cut(database_url: str) -> None:
    """Connections are not checked before use: the read finds a dead one and is repeated on another."""

    async def test(pool: Pool) -> None:
        together = asyncio.Barrier(3)

        async def at_once(connection: Connection) -> int:
            await together.wait()
            return (await shown(connection))[1]

        processes = await asyncio.gather(*(pool.run(SHOP, at_once) for _ in range(3)))
        assert len(set(processes)) == 3
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(p, 5000) FROM unnest(%s::int[]) AS p", [list(processes)])
        async with pool.reading(SHOP) as connection:
            assert (await shown(connection))[1] not in processes
            assert (await pool.run(SHOP, shown))[1] not in processes

    on_a_pool(database_url, 3, test)


def test_a_wait_times_out_and_a_cancelled_wait_loses_no_connection(database_url: str) -> None:
    async def test(pool: Pool) -> None:
        release, began = asyncio.Event(), asyncio.Event()
        await pool.run(SHOP, shown)  # connecting has all the time that it needs
        pool.patience = 0.05

        async def hold(_: Connection) -> None:
            began.set()
            await release.wait()

        holding = asyncio.create_task(pool.run(SHOP, hold))
        await began.wait()
        with pytest.raises(TimeoutError):
            await pool.run(SHOP, shown)
        pool.patience = TIMEOUT
        given_up, patient = (asyncio.create_task(pool.run(SHOP, shown)) for _ in range(2))
        while len(pool.waiting) < 2:
            await asyncio.wait([given_up], timeout=0.001)
        given_up.cancel()
        release.set()
        assert (await patient)[0] == SHOP
        await holding

    on_a_pool(database_url, 1, test)


def test_a_statement_that_fails_leaves_its_connection_fit(database_url: str) -> None:
    async def test(pool: Pool) -> None:
        async def wrong(connection: Connection) -> None:
            await connection.execute("SELECT nothing")

        before = await pool.run(SHOP, shown)
        with pytest.raises(psycopg.errors.UndefinedColumn):
            await pool.run(SHOP, wrong)
        assert await pool.run(SHOP, shown) == before

    on_a_pool(database_url, 2, test)
