"""Limits on HTTP connections: how long a request may take to arrive, how large its head may be, how many are open."""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crm.adapters.telemetry.metrics import REQUESTS

SECONDS = 15.0  # for a request to arrive
HEAD = 65_536  # bytes before the body
MOST = 20_000  # connections of this process, including websockets
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits: by itself it waits without end for a request and accepts a head of any size."""

    seconds, most = SECONDS, MOST
    waiting: TimerHandle | None = None
    in_head = in_request = False
    taken = 0  # bytes of an incomplete head

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.end(BUSY)
        else:
            self.start_timer()

    def data_received(self, data: bytes) -> None:
        """Starts a timer only when a request arrives in several pieces, which few do."""
        super().data_received(data)
        if not self.in_request or self.uploads():  # a large file may take long, but each of its pieces may not
            self.cancel_timer()
        if not self.in_request:
            return
        self.start_timer()
        self.taken = self.taken + len(data) if self.in_head else 0
        if self.taken > HEAD:
            self.end(LARGE)

    def uploads(self) -> bool:
        return not self.in_head and self.scope is not None and self.scope.get("path") == "/imports"

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
        self.cancel_timer()
        super().connection_lost(exc)

    def start_timer(self) -> None:
        if not self.waiting:
            self.waiting = self.loop.call_later(self.seconds, self.end, SLOW)

    def cancel_timer(self) -> None:
        if self.waiting:
            self.waiting.cancel()
            self.waiting = None

    def end(self, answer: bytes) -> None:
        REQUESTS.labels("other", "other", answer.split()[1].decode()).inc()
        self.cancel_timer()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
