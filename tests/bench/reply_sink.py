"""The vendor of the benchmark of replies: a process that takes messages as WhatsApp's API does. It prints what arrived
when its input says so.

The path names the account: `/…/N/messages`. `busyN` refuses with 429 and Retry-After, and takes one in four; `slowN`
answers after some seconds.
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
TEXT = re.compile(rb'"body":\s*"(\d+) (\d+)')
TO = re.compile(rb'"to":\s*"(\d+)"')
SLOW_SECONDS, RETRY_AFTER = 5.0, 1
arrived: dict[str, list[tuple[int, int, str, int]]] = defaultdict(
    list
)  # by account: when, committed when, chat, number
refused: dict[str, int] = defaultdict(int)


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join((*head, "", "")).encode() + body


BUSY = answer(
    "429 Too Many Requests", b'{"error":{"message":"Slow down","code":130429}}', f"retry-after: {RETRY_AFTER}"
)


class Vendor(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

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
        account = request.split(b" ", 2)[1].decode().split("/")[-2]
        requests = refused[account] + len(arrived[account])
        if account.startswith("busy") and requests % 4:
            refused[account] += 1
            self.transport.write(BUSY)
            return
        text, to = TEXT.search(request, head), TO.search(request, head)
        assert text
        assert to
        arrived[account].append((time.time_ns(), int(text[1]), to[1].decode(), int(text[2])))
        body = b'{"messages":[{"id":"wamid.%b.%b"}]}' % (to[1], text[2])
        if account.startswith("slow"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.transport.write, answer("200 OK", body))
        else:
            self.transport.write(answer("200 OK", body))


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Vendor, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line == b"count\n":
            print(sum(len(rows) for account, rows in arrived.items() if account.isdecimal()), flush=True)
        elif line == b"refused\n":
            print(sum(refused.values()), flush=True)
        else:
            print(msgspec.json.encode(arrived).decode(), flush=True)
            arrived.clear()


if __name__ == "__main__":
    uvloop.run(main())
