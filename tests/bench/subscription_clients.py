"""Many websockets with one subscription each. Prints the number and time of each result.

Run by `crm bench subscriptions` as a process of its own. On standard input it takes one line of JSON, a Plan.
"""

import asyncio
import base64
import json
import os
import resource
import sys
import time
from typing import Any

import msgspec

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
OPENING = 200  # at the same time
OF_ADDRESS = 5_000  # connections from one of 127.0.0.2, 127.0.0.3 …: an address has 28,000 ports
SUBSCRIPTION = "subscription ($id: ID!) { dealChanged(id: $id) { cursor deal { id number stage paid { minor } } } }"


class Plan(msgspec.Struct):
    """What to open: one websocket per deal."""

    host: str
    port: int
    token: str
    deals: list[str]


class Listener(asyncio.Protocol):
    """One websocket without a library, whose costs would be measured with the server's."""

    def __init__(self, plan: Plan, number: int, ready: "asyncio.Future[None]") -> None:
        self.plan, self.number, self.ready = plan, number, ready
        self.read = b""
        self.open = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: {self.plan.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.read += data
        if not self.open:
            head, end, self.read = self.read.partition(b"\r\n\r\n")
            if not end:
                self.read = head
                return
            if b" 101 " not in head[:20]:
                return self.fail(head.decode(errors="replace"))
            self.open = True
            variables = {"id": self.plan.deals[self.number]}
            self.say({"type": "connection_init", "payload": {"authorization": f"Bearer {self.plan.token}"}})
            self.say({"id": "1", "type": "subscribe", "payload": {"query": SUBSCRIPTION, "variables": variables}})
            self.say({"type": "ping"})  # its answer says that the subscription is there
        while frame := self.frame():
            self.take(*frame)

    def frame(self) -> tuple[int, bytes] | None:
        if len(self.read) < 2:
            return None
        size, begin = self.read[1], 2
        for mark, more in ((126, 2), (127, 8)):
            if self.read[1] == mark:
                size, begin = int.from_bytes(self.read[2 : 2 + more], "big"), 2 + more
        if len(self.read) < begin + size:
            return None
        opcode, body = self.read[0] & 0x0F, self.read[begin : begin + size]
        self.read = self.read[begin + size :]
        return opcode, body

    def take(self, opcode: int, body: bytes) -> None:
        if opcode == PING:
            self.write(PONG, body)
        elif opcode == TEXT and b'"type":"next"' in body:
            print(self.number, time.monotonic())
        elif opcode == TEXT and b'"type":"pong"' in body and not self.ready.done():
            self.ready.set_result(None)
        elif opcode == CLOSE or b'"type":"error"' in body:
            self.fail(body.decode(errors="replace"))

    def say(self, message: dict[str, Any]) -> None:
        self.write(TEXT, json.dumps(message).encode())

    def write(self, opcode: int, body: bytes) -> None:
        """Sends a frame, masked with zeros."""
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self.transport.write(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + body)

    def fail(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(OSError(why))

    def connection_lost(self, error: Exception | None) -> None:
        self.fail("the connection was closed")


async def listen(plan: Plan) -> None:
    """Runs until standard input ends."""
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(OPENING)

    async def one(number: int) -> None:
        async with turns:
            ready: asyncio.Future[None] = loop.create_future()
            address = f"127.0.0.{2 + number // OF_ADDRESS}", 0
            await loop.create_connection(
                lambda: Listener(plan, number, ready), plan.host, plan.port, local_addr=address
            )
            await ready

    await asyncio.gather(*(one(number) for number in range(len(plan.deals))))
    print("ready", time.monotonic(), flush=True)
    ended = loop.run_in_executor(None, sys.stdin.read)
    while not ended.done():
        await asyncio.wait([ended], timeout=0.1)
        sys.stdout.flush()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(listen(msgspec.json.decode(sys.stdin.readline(), type=Plan)))
