"""A listener on Postgres: what is committed while it is deaf never reaches it, and what comes later does."""

import asyncio

from crm.adapters.postgres.listener import Listener
from tests.support.records import open_connection

NOTIFY = "SELECT pg_notify('deaf', n::text) FROM generate_series(%s::int, %s) AS n"
PATIENCE = 60.0


def test_what_is_committed_while_nobody_listens_is_not_kept(database_url: str) -> None:
    async def run() -> list[str]:
        async with await open_connection(database_url) as mine, await open_connection(database_url) as other:
            listener = await Listener(mine).listen("deaf")
            await other.execute(NOTIFY, [1, 50])
            waiting = asyncio.create_task(listener.deaf(PATIENCE))
            await other.execute(NOTIFY, [51, 500])
            listener.interrupt()
            await waiting
            assert listener.found == []
            await other.execute(NOTIFY, [501, 502])
            return [one.payload for one in await listener.wait(PATIENCE)]

    assert asyncio.run(run()) == ["501", "502"]
