"""One HTTP/1.1 connection of a client, kept from one request to the next: asyncio's protocol around httptools' parser.

A general client costs three times as much processor time for each request, most of it for what webhooks do not use:
cookies, redirects, forms, streams, traces. https://www.rfc-editor.org/rfc/rfc9112
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct

LONGEST_HEAD = 65_536  # bytes of an answer's headers


class Reply(Struct, frozen=True):
    """An answer. Header names are in lower case; the body is as it was sent, and only its beginning if it is long."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Broken(ConnectionError):
    """The connection ended, or what came is no HTTP. `silent`: nothing came at all."""

    def __init__(self, why: str, silent: bool = False) -> None:
        super().__init__(why)
        self.silent = silent


class Wire(asyncio.Protocol):
    """Makes one exchange after the other. `size`: bytes of a body after which the rest is not read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.is_open = True  # and may be used for another exchange
        self.idle_since = 0.0
        self.waiter: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is of a class of its own

    async def exchange(self, request: bytes, until: float) -> Reply:
        """Returns the answer to a request. Raises Broken, and TimeoutError at the moment `until` of the loop. A wire on
        which an exchange fails or is cancelled is closed."""
        self.parser, self.body = HttpResponseParser(self), bytearray()
        self.headers: dict[str, str] = {}
        self.received, self.headers_complete = 0, False
        loop = asyncio.get_running_loop()
        self.waiter = loop.create_future()
        timer = loop.call_at(until, self.fail, TimeoutError())  # asyncio.timeout takes a tenth of the whole exchange
        self.transport.write(request)
        try:
            return await self.waiter
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self.waiter = None

    def close(self) -> None:
        self.is_open = False
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.waiter is None or self.waiter.done():  # it answers what was not asked
            return self.close()
        self.received += len(data)
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            return self.fail(Broken(f"Its answer is no HTTP: {error}."))
        if not self.headers_complete and self.received > LONGEST_HEAD:
            self.fail(Broken(f"Its headers have more than {LONGEST_HEAD} bytes."))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.headers_complete = self.parser.get_status_code() >= 200

    def on_body(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > self.size:
            self.close()
            self.finish()

    def on_message_complete(self) -> None:
        if not self.headers_complete:  # a status 1xx, before the answer itself
            return self.headers.clear()
        if not self.parser.should_keep_alive():
            self.close()
        self.finish()

    def finish(self) -> None:
        if self.waiter and not self.waiter.done():
            reply = Reply(self.parser.get_status_code(), self.headers, bytes(self.body[: self.size]))
            self.waiter.set_result(reply)

    def fail(self, error: Exception) -> None:
        self.close()
        if self.waiter and not self.waiter.done():
            self.waiter.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self.waiter is None or self.waiter.done():
            return
        if error is None and self.headers_complete and not {"content-length", "transfer-encoding"} & set(self.headers):
            self.finish()  # the end of such a body is the end of the connection
        else:
            self.fail(Broken(f"It closed the connection{f': {error}' if error else ''}.", silent=not self.received))
