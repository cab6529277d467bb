"""Keep-alive HTTP connections that support only POST, to keep the client's costs low."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 10.0  # seconds for an answer


class Answer(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


class HttpConnection:
    """Connects at the first POST. After a failure the caller switches to the next address."""

    def __init__(self, urls: Sequence[str], patience: float = TIMEOUT) -> None:
        self.patience = patience
        self.addresses = [(parts.hostname or "127.0.0.1", parts.port or 80) for parts in map(urlsplit, urls)]
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError when nothing listens."""
        self.streams = self.streams or await asyncio.open_connection(*self.addresses[0])
        return self.streams

    async def post(self, path: str, headers: str, body: bytes) -> Answer:
        """Raises OSError, EOFError or TimeoutError when there is no answer: the request may have been processed."""
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await self.connect()
                host, port = self.addresses[0]
                head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                answered = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = answered.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
                answer = Answer(int(answered[9:12]), await reader.readexactly(int(length or b"0")))
        except TimeoutError:
            raise TimeoutError(f"No answer to POST {path} within {self.patience:g} s.") from None
        if b"\r\nconnection: close" in answered:
            self.close()
        return answer

    def use_next_address(self) -> None:
        """Closes the connection; the next POST goes to the next address."""
        self.close()
        self.addresses.append(self.addresses.pop(0))

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()
            self.streams = None


class ConnectionPool:
    """`size` connections to one URL; each carries one request at a time."""

    def __init__(self, url: str, size: int, headers: str, patience: float = TIMEOUT) -> None:
        self.path, self.headers = urlsplit(url).path, headers
        self.connections = [HttpConnection([url], patience) for _ in range(size)]
        self.idle: asyncio.Queue[HttpConnection] = asyncio.Queue()

    async def open(self) -> None:
        """Raises OSError when nothing listens."""
        for connection in self.connections:
            await connection.connect()
            self.idle.put_nowait(connection)

    async def post(self, body: bytes) -> Answer:
        """Waits for an idle connection. Raises what HttpConnection.post raises."""
        connection = await self.idle.get()
        try:
            return await connection.post(self.path, self.headers, body)
        except BaseException:
            connection.close()  # its answer may come still
            raise
        finally:
            self.idle.put_nowait(connection)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
