"""`crm bench caller` and `crm bench search` on a small scale: every answer is right, and a wrong one is counted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm.scalars import Id
from services.stack.access import create_token
from tests.bench.bench_servers import BenchServers
from tests.bench.lookups import CALLER, SEARCH, callers, fill_database, measure_queries, texts
from tests.bench.paced_queries import Wrong

CONTACTS = 1_000


def half_of_them_wrong() -> Iterator[tuple[dict[str, Any], Wrong]]:
    """An injected bug: every other caller gets another contact."""
    for n, (variables, is_wrong) in enumerate(callers(CONTACTS)):
        yield variables, (lambda _: True) if n % 2 else is_wrong


def test_who_is_looked_for_is_found(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.lookups.WARM_UP", 0)
    workspace = Id(str(uuid4()))
    fill_database(fresh_database_url, workspace, CONTACTS)

    async def run() -> list[dict[str, Any]]:
        token = await create_token(kafka_bootstrap, workspace, "benchmark", ("read",))
        here = BenchServers(fresh_database_url, kafka_bootstrap, workspace, token.text)
        rate, seconds = 40, 1
        return [
            await measure_queries(here, tmp_path, name, query, queries, CONTACTS, rate, seconds, lambda _: None)
            for name, query, queries in (
                ("caller", CALLER, callers(CONTACTS)),
                ("search", SEARCH, texts(CONTACTS)),
                ("injected", CALLER, half_of_them_wrong()),
            )
        ]

    caller, search, injected = asyncio.run(run())
    assert (caller["answers"], caller["wrong"], caller["first_wrong"]) == (40, 0, [])
    assert (search["answers"], search["wrong"], search["first_wrong"]) == (40, 0, [])
    assert injected["wrong"] == 20
    assert caller["p50_ms"] <= caller["p99_ms"] <= caller["max_ms"]
