"""A session with Postgres goes on after its connection was lost, with the options that it had."""

import asyncio

import psycopg
import pytest

from services.outbound.session import Session
from streams.runtime.sessions import SESSION


def test_a_lost_connection_is_opened_again(database_url: str) -> None:
    async def run() -> None:
        async with Session(database_url, f"{SESSION} -c default_transaction_read_only=on") as session:
            for _ in range(2):
                conn = await session.get()
                assert await (await conn.execute("SHOW default_transaction_read_only")).fetchone() == ("on",)
                with pytest.raises(psycopg.OperationalError):
                    await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            kept = await session.get()
            assert await session.get() is kept
            await session.close()
            assert kept.closed and not (await session.get()).closed

    asyncio.run(run())
