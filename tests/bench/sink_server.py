"""A process that receives what a benchmark sends: one connection after the other, as fast as it can. It prints what
arrived when its input says so, and ends with it.
"""

import asyncio
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
import uvloop

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
Row = tuple[int, int, str, Any]
Arrived = defaultdict[str, list[Row]]  # by receiver: when, committed when, and what a benchmark looks at


class Endpoint(asyncio.Protocol):
    """One connection. A benchmark's own says what becomes of a request."""

    def __init__(self) -> None:
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is of a class of its own

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (head := self.data.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.data, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self.data) < end:
                return
            request, self.data = self.data[:end], self.data[end:]
            self.take(request.split(b" ", 2)[1].decode(), request, head)

    def take(self, path: str, request: bytes, head: int) -> None:
        """Takes a whole request. `head`: where its headers end."""
        raise NotImplementedError

    def answer(self, answer: bytes, after: float = 0.0) -> None:
        if after:
            asyncio.get_running_loop().call_later(after, self.answer, answer)
        elif not self.transport.is_closing():  # the sender may have waited long enough
            self.transport.write(answer)


def serve(endpoint: Callable[[], Endpoint], arrived: Arrived, more: Mapping[str, Callable[[], int]] = {}) -> None:
    """Prints the port, then answers: `count`, how much arrived at good receivers, whose name is a number; `take`, all
    that arrived since the last time; and `more`."""
    answers: dict[str, Callable[[], Any]] = {
        "count": lambda: sum(len(rows) for name, rows in arrived.items() if name.isdecimal()),
        **more,
    }

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(endpoint, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            if answer := answers.get(line.decode().strip()):
                print(answer(), flush=True)
            else:
                print(msgspec.json.encode(arrived).decode(), flush=True)
                arrived.clear()

    uvloop.run(run())
