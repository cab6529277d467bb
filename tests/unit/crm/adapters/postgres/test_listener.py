"""Waiting for an interruption, while notifications may come."""

import asyncio
from typing import Any

from crm.adapters.postgres.listener import Listener


class Silent:
    """A connection on which nothing is read."""

    def add_notify_handler(self, _: Any) -> None: ...


def test_an_interruption_ends_the_wait_and_leaves_what_has_arrived() -> None:
    async def run() -> None:
        silent: Any = Silent()
        listener = Listener(silent)
        listener.found.append("a notification")  # type: ignore[arg-type]  # whatever it is
        asyncio.get_running_loop().call_soon(listener.interrupt)
        await listener.interrupted(3600)
        assert listener.found == ["a notification"]
        listener.interrupt()
        await listener.interrupted(3600)  # one that came before ends the next wait
        assert not listener.arrived.is_set()

    asyncio.run(run())
