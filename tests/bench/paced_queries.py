"""GraphQL queries at a steady rate; latency is measured from when each was due."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.bench.machine import percentiles
from tests.support.workload.http_client import ConnectionPool

CONNECTIONS = 16
Wrong = Callable[[Any], bool]


async def paced(
    url: str, token: str, query: str, queries: Iterator[tuple[dict[str, Any], Wrong]], rate: int, seconds: int
) -> dict[str, Any]:
    """Returns percentiles in milliseconds and the number of wrong answers. Each query brings its own check."""
    pool = ConnectionPool(url, CONNECTIONS, f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n")
    await pool.open()
    taken: list[float] = []
    wrong: list[str] = []

    async def one(due: float) -> None:
        variables, is_wrong = next(queries)
        body = msgspec.json.encode({"query": query, "variables": variables})
        answer = msgspec.json.decode((await pool.post(body)).body)
        taken.append(time.perf_counter() - due)
        if "errors" in answer or is_wrong(answer["data"]):
            wrong.append(f"{variables} -> {answer}")

    began, tasks = time.perf_counter(), []
    for n in range(rate * seconds):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    pool.close()
    return {**percentiles(taken), "answers": len(taken), "wrong": len(wrong), "first_wrong": wrong[:1]}
