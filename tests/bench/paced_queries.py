"""POSTs at a steady rate; latency is measured from when each was due."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.bench.machine import percentiles
from tests.support.workload.http_client import ConnectionPool

CONNECTIONS = 16
Wrong = Callable[[Any], bool]


Post = tuple[bytes, Callable[[bytes], str]]  # a body; the check of the answer's returns what is wrong, or nothing


async def paced(
    url: str, token: str, query: str, queries: Iterator[tuple[dict[str, Any], Wrong]], rate: int, seconds: int
) -> dict[str, Any]:
    """Asks GraphQL. Each query brings its own check."""

    def post(variables: dict[str, Any], is_wrong: Wrong) -> Post:
        def check(body: bytes) -> str:
            answer = msgspec.json.decode(body)
            return f"{variables} -> {answer}" if "errors" in answer or is_wrong(answer["data"]) else ""

        return msgspec.json.encode({"query": query, "variables": variables}), check

    headers = f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    return await paced_posts(url, headers, (post(*each) for each in queries), rate, seconds)


async def paced_posts(url: str, headers: str, posts: Iterator[Post], rate: int, seconds: int) -> dict[str, Any]:
    """Returns percentiles in milliseconds and the number of wrong answers."""
    pool = ConnectionPool(url, CONNECTIONS, headers)
    await pool.open()
    taken: list[float] = []
    wrong: list[str] = []

    async def one(due: float) -> None:
        body, check = next(posts)
        answer = await pool.post(body)
        taken.append(time.perf_counter() - due)
        if said := check(answer.body):
            wrong.append(said)

    began, tasks = time.perf_counter(), []
    for n in range(rate * seconds):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    pool.close()
    return {**percentiles(taken), "answers": len(taken), "wrong": len(wrong), "first_wrong": wrong[:1]}
