"""One keep-alive connection to intake, that says no more of HTTP than a POST needs: it must cost next to nothing."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE = 10.0  # seconds for an answer


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class Door:
    """Connects when it has something to post. After a failure the caller turns to the next address."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.places = [(parts.hostname or "127.0.0.1", parts.port or 80) for parts in map(urlsplit, urls)]
        self.open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, headers: str, body: bytes) -> Answer:
        """Raises OSError, EOFError or TimeoutError when there is no answer: then nobody knows whether it was taken."""
        async with asyncio.timeout(PATIENCE):
            host, port = self.places[0]
            reader, writer = self.open = self.open or await asyncio.open_connection(host, port)
            head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            top = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = top.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            answer = Answer(int(top[9:12]), await reader.readexactly(int(length or b"0")))
        if b"\r\nconnection: close" in top:
            self.close()
        return answer

    def turn(self) -> None:
        """Closes; the next post goes to the next address."""
        self.close()
        self.places.append(self.places.pop(0))

    def close(self) -> None:
        if self.open:
            self.open[1].close()
            self.open = None
