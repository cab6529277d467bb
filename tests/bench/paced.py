"""Questions to a GraphQL API at a steady rate: how long each waits, counted from when it was due."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.bench.machine import percentiles

CONNECTIONS = 16
Wrong = Callable[[Any], bool]


class Asker:
    """Keep-alive connections; each carries one question at a time."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: "
        )
        self.idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def open(self) -> None:
        for _ in range(CONNECTIONS):
            self.idle.put_nowait(await asyncio.open_connection(self.host, self.port))

    async def ask(self, query: str, variables: dict[str, Any]) -> Any:
        """The answer, decoded."""
        body = msgspec.json.encode({"query": query, "variables": variables})
        reader, writer = await self.idle.get()
        writer.write(f"{self.head}{len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(int(length.partition(b":")[2]))
        self.idle.put_nowait((reader, writer))
        return msgspec.json.decode(answer)

    def close(self) -> None:
        while not self.idle.empty():
            self.idle.get_nowait()[1].close()


async def paced(
    url: str, token: str, query: str, questions: Iterator[tuple[dict[str, Any], Wrong]], rate: int, seconds: int
) -> dict[str, Any]:
    """Percentiles in milliseconds, and how many answers were wrong. Each question says what is wrong for it."""
    asker = Asker(url, token)
    await asker.open()
    taken: list[float] = []
    wrong: list[str] = []

    async def one(due: float) -> None:
        variables, is_wrong = next(questions)
        answer = await asker.ask(query, variables)
        taken.append(time.perf_counter() - due)
        if "errors" in answer or is_wrong(answer["data"]):
            wrong.append(f"{variables} -> {answer}")

    began, asked = time.perf_counter(), []
    for n in range(rate * seconds):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asked.append(asyncio.create_task(one(due)))
    await asyncio.gather(*asked)
    asker.close()
    return {**percentiles(taken), "answers": len(taken), "wrong": len(wrong), "first_wrong": wrong[:1]}
