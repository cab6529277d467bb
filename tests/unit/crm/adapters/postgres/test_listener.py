"""Waiting for an interruption, hearing nothing meanwhile."""

import asyncio
from typing import Any

from crm.adapters.postgres.listener import Listener


class Silent:
    """A connection on which nothing is read."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def add_notify_handler(self, _: Any) -> None: ...

    async def execute(self, statement: Any) -> None:
        self.statements.append(statement if isinstance(statement, str) else statement.as_string())


def test_who_is_deaf_keeps_nothing_until_it_is_interrupted_and_then_listens() -> None:
    async def run() -> None:
        silent: Any = Silent()
        listener = await Listener(silent).listen("changes", "rings")
        listens = silent.statements.copy()
        listener.found.append("a notification")  # type: ignore[arg-type]  # whatever it is
        asyncio.get_running_loop().call_soon(listener.interrupt)
        await listener.deaf(3600)
        assert listener.found == []
        assert (listens, silent.statements[2:]) == (['LISTEN "changes"', 'LISTEN "rings"'], ["UNLISTEN *", *listens])
        listener.interrupt()
        await listener.deaf(3600)  # one that came before ends the next wait
        assert silent.statements[5:] == ["UNLISTEN *", *listens]
        assert not listener.arrived.is_set()

    asyncio.run(run())
