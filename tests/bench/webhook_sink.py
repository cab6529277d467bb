"""The receivers of a benchmark: one process, an endpoint for each path. It prints what arrived when its input ends.

`/N` answers 204 at once, `/dead-N` closes the connection, `/slow-N` answers after half a minute.
"""

import asyncio
import re
import sys
import time
from collections import defaultdict
from typing import cast

import msgspec
import uvloop

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
AT = re.compile(rb'"text":"(\d+) ')
ID = re.compile(rb"webhook-id: ([0-9a-f-]+)", re.IGNORECASE)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
SLOW_SECONDS = 30.0
arrived: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)  # by endpoint: when, committed when, id, card


class Endpoint(asyncio.Protocol):
    """One connection."""

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
            self.take(request, head)

    def take(self, request: bytes, head: int) -> None:
        path = request.split(b" ", 2)[1].decode().strip("/")
        if path.startswith("dead"):
            self.transport.abort()
            return
        committed, id = AT.search(request, head), ID.search(request, 0, head)
        card = request.partition(b'"subject":"')[2][:36].decode()
        row = time.time_ns(), int(committed[1]) if committed else 0, id[1].decode() if id else "", card
        arrived[path].append(row)
        if path.startswith("slow"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.answer)
        else:
            self.answer()

    def answer(self) -> None:
        if not self.transport.is_closing():  # the sender may have waited long enough
            self.transport.write(NO_CONTENT)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Endpoint, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line == b"count\n":
            print(sum(len(rows) for path, rows in arrived.items() if path.isdigit()), flush=True)
        else:
            print(msgspec.json.encode(arrived).decode(), flush=True)
            arrived.clear()


if __name__ == "__main__":
    uvloop.run(main())
