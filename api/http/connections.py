"""Connections that say nothing, or never end their request, are let go; there are only so many at once."""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crm.adapters.telemetry.metrics import REQUESTS

SECONDS = 15.0  # until a request is whole
HEAD = 65_536  # bytes of what comes before its body
MOST = 20_000  # connections of this process, websockets among them
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Impatient(HttpToolsProtocol):
    """uvicorn's, which waits for ever for the rest of a request and takes a head of any size."""

    seconds, most = SECONDS, MOST
    waiting: TimerHandle | None = None
    in_head = in_request = False
    taken = 0  # bytes of a head that is not whole yet

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.end(BUSY)
        else:
            self.wait()

    def data_received(self, data: bytes) -> None:
        """A request that comes in one piece, as nearly all do, needs no timer."""
        super().data_received(data)
        if not self.in_request:
            return self.heard()
        self.wait()
        self.taken = self.taken + len(data) if self.in_head else 0
        if self.taken > HEAD:
            self.end(LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = self.in_request = True

    def on_headers_complete(self) -> None:
        self.in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.in_request = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard()
        super().connection_lost(exc)

    def wait(self) -> None:
        if not self.waiting:
            self.waiting = self.loop.call_later(self.seconds, self.end, SLOW)

    def heard(self) -> None:
        if self.waiting:
            self.waiting.cancel()
            self.waiting = None

    def end(self, answer: bytes) -> None:
        REQUESTS.labels("other", "other", answer.split()[1].decode()).inc()
        self.heard()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def impatient(seconds: float = SECONDS, most: int = MOST) -> type[Any]:
    """The class with other bounds, for a smaller server."""
    return type("Impatient", (Impatient,), {"seconds": seconds, "most": most})
