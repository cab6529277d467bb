"""`crm bench caller`, `search` and `ring` on a small scale: every answer is right, and a wrong one is counted."""

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
from tests.bench.rings import measure_rings, question

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


def test_an_exchange_learns_who_is_calling(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.rings.WARM_UP", 0)
    workspace = Id(str(uuid4()))
    fill_database(fresh_database_url, workspace, CONTACTS)

    async def run() -> dict[str, Any]:
        token = await create_token(kafka_bootstrap, workspace, "benchmark", ("read",))
        here = BenchServers(fresh_database_url, kafka_bootstrap, workspace, token.text)
        return await measure_rings(here, tmp_path, CONTACTS, 10, 2, lambda _: None)

    found = asyncio.run(run())
    assert found["answers"] == 20
    assert found["wrong"] < 20  # on a busy machine some ring without a name


def test_a_ring_without_a_name_is_counted_as_wrong() -> None:
    _, check = question(1, "+380670000001", CONTACTS)
    assert check(b"{}") == "+380670000001 -> {}"
    assert check(b'{"customerData":{"name":"Olena"}}') == ""
    _, check = question(1, "+380678000001", CONTACTS)
    assert check(b"{}") == ""
