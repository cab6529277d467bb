"""A TCP proxy between a role and a server that can be slow, cut or silent."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter, Task
from collections.abc import Callable

from services.stack.ports import LOCAL

CHUNK = 256 * 1024  # bytes read at once


class Proxy:
    """Forwards bytes to `target`, the server's current port, unless it is cut, silent or slow."""

    def __init__(self, target: Callable[[], int]) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0  # seconds that each chunk waits
        self.is_cut = False
        self.hears = asyncio.Event()
        self.hears.set()
        self.server: asyncio.Server | None = None
        self.connections: set[Task[None]] = set()

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.accept, LOCAL, 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Resets all connections, and all new ones."""
        self.is_cut = True
        self.drop()

    def deafen(self) -> None:
        """Drops all bytes and closes nothing: neither side learns that the other has ended."""
        self.hears.clear()

    def heal(self) -> None:
        """Forwards again. Resets connections that lost bytes, as a peer does that has forgotten them."""
        self.delay, self.is_cut = 0.0, False
        if not self.hears.is_set():
            self.drop()
            self.hears.set()

    def drop(self) -> None:
        for task in self.connections:
            task.cancel()

    async def stop(self) -> None:
        if self.server:
            self.server.close()
        self.drop()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.connections.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if not self.is_cut:
                await self.carry(reader, writer)
        writer.transport.abort()
        self.connections.discard(task)

    async def carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        await self.hears.wait()
        back_reader, back_writer = await asyncio.open_connection(LOCAL, self.target())
        try:
            there = asyncio.ensure_future(self.pump(reader, back_writer))
            back = asyncio.ensure_future(self.pump(back_reader, writer))
            try:
                await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.wait([there, back])
        finally:
            back_writer.transport.abort()

    async def pump(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Forwards until one side ends. A silent proxy does not forward the end either."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self.hears.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        await self.hears.wait()
