"""One attempt of a vendor to deliver: its HTTP client, and the fault that it meets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from crm.connector import Delivery
from tests.simulator.faults import Faulty, Kind
from tests.simulator.retries import Manner

DROPPED = ("host", "content-length", "connection", "transfer-encoding", "accept-encoding")  # the client's own


@dataclass
class Attempts:
    """The vendor's HTTP client, and the fault that each attempt meets."""

    client: httpx.AsyncClient
    faulty: Faulty
    manner: Manner
    fault: str
    intake: str  # its address
    path: str
    tried: set[int] = field(default_factory=set)
    kept: list[Delivery] = field(default_factory=list)

    async def __call__(self, one: Delivery) -> bool:
        first = id(one) not in self.tried
        self.tried.add(id(one))
        faulty, before = self.faulty, len(self.faulty.taken[self.path])
        if self.fault in ("error", "answer lost", "silence") and first:
            kind: Kind = self.fault  # type: ignore[assignment]  # one of the three
            faulty.planned[self.path].append(kind)
        elif self.fault == "outage":
            faulty.planned[self.path].append("error")
        status, body = await self.post(one)
        if faulty.taken[self.path][before:] == [200]:
            self.kept.append(one)
        return self.manner.accepts(status, body)

    async def post(self, one: Delivery) -> tuple[int, bytes]:
        """Returns status and body; a status of 0 when no answer came."""
        silent = self.faulty.silent[self.path]
        silent.clear()
        posting, waiting = asyncio.create_task(self.send(one)), asyncio.create_task(silent.wait())
        await asyncio.wait([posting, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not posting.done():  # the vendor's patience ends: it hangs up
            posting.cancel()
            await asyncio.wait([posting])
            return 0, b""
        answer = posting.result()
        return answer.status_code, answer.content

    async def send(self, one: Delivery) -> httpx.Response:
        headers = {name: value for name, value in one.headers.items() if name not in DROPPED}
        content: Any = one.body
        if self.fault == "slow drip":
            headers["content-length"], content = str(len(one.body)), drip(one.body)
        url = f"{self.intake}{one.path}" + (f"?{one.query}" if one.query else "")
        return await self.client.request(one.method, url, headers=headers, content=content)


async def drip(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), max(1, len(body) // 16)):
        yield body[at : at + max(1, len(body) // 16)]
