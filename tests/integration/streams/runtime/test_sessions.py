"""A session whose network swallows everything is given up from this side, and one that answers is left alone."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import psycopg
import pytest

from services.stack.ports import LOCAL
from streams.runtime.sessions import answered, connect
from tests.chaos.proxy import Proxy

WITHIN = 60.0  # seconds: nothing else ends the wait


def test_a_transaction_without_an_answer_fails_as_after_a_lost_session(database_url: str) -> None:
    async def run() -> None:
        at = urlsplit(database_url)
        proxy = Proxy(lambda: at.port or 5432)
        await proxy.start()
        dsn = at._replace(netloc=f"{at.netloc.rpartition('@')[0]}@{LOCAL}:{proxy.port}").geturl()
        try:
            async with contextlib.AsyncExitStack() as closing:
                conn = await closing.enter_async_context(await connect(dsn))
                with answered(conn, WITHIN):
                    async with conn.pipeline(), conn.transaction():
                        assert await (await conn.execute("SELECT 7")).fetchall() == [(7,)]
                proxy.deafen()
                async with asyncio.timeout(WITHIN):
                    with pytest.raises(psycopg.OperationalError), answered(conn, 0.2):
                        async with conn.pipeline(), conn.transaction():
                            await conn.execute("SELECT 1")
                assert conn.closed
        finally:
            await proxy.stop()

    asyncio.run(run())
