"""Waits for notifications of Postgres. psycopg's own `notifies` wakes up ten times a second to look."""

import asyncio
import contextlib
from typing import Self

from psycopg import AsyncConnection, Notify
from psycopg.sql import SQL, Identifier


class Listener:
    """Listens on a connection of its own, or on one whose owner waits for its notifications."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.found: list[Notify] = []
        self.arrived = asyncio.Event()
        self.channels: list[str] = []
        conn.add_notify_handler(self.found.append)  # those that come with the answer to a query

    async def listen(self, *channels: str) -> Self:
        self.channels += channels
        for channel in channels:
            await self.conn.execute(SQL("LISTEN {}").format(Identifier(channel)))
        return self

    async def wait(self, seconds: float) -> list[Notify]:
        """Returns the notifications since the last wait: at once if there are any, after `seconds` at the latest.

        Nothing else may use the connection meanwhile. Raises OperationalError when the connection is lost.
        """
        loop, descriptor = asyncio.get_running_loop(), self.conn.fileno()
        self.take()
        if not self.found and seconds > 0:
            loop.add_reader(descriptor, self.arrived.set)
            timer = loop.call_later(seconds, self.arrived.set)
            try:
                await self.arrived.wait()
            finally:
                timer.cancel()
                loop.remove_reader(descriptor)
            self.conn.pgconn.consume_input()
            self.take()
        self.arrived.clear()
        found = self.found.copy()
        self.found.clear()
        return found

    async def deaf(self, seconds: float) -> None:
        """Waits for `interrupt`, `seconds` at most. Postgres sends nothing meanwhile, and what it sent before is
        dropped: the caller looks for itself, and nothing piles up for it."""
        await self.conn.execute("UNLISTEN *")
        self.found.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.arrived.wait(), seconds)
        self.arrived.clear()
        channels, self.channels = self.channels, []
        await self.listen(*channels)

    def take(self) -> None:
        """Takes what has arrived behind the answer to a query: it makes the connection's socket readable no more."""
        encoding = self.conn.info.encoding
        while notify := self.conn.pgconn.notifies():
            self.found.append(Notify(notify.relname.decode(encoding), notify.extra.decode(encoding), notify.be_pid))

    def interrupt(self) -> None:
        """Ends the current wait, or the next one."""
        self.arrived.set()
