"""`crm bench open-api` on a small scale: pages and totals are right, and a wrong one stops the benchmark."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from crm.scalars import Id
from services.stack.access import create_token
from tests.bench.bench_servers import BenchServers
from tests.bench.open_api import run
from tests.bench.open_api.deals import cases

DEALS, QUESTIONS = 1_000, 2


def measure(bootstrap: str, dsn: str, folder: Path) -> dict[str, Any]:
    async def measured() -> dict[str, Any]:
        workspace = Id(str(uuid4()))
        token = await create_token(bootstrap, workspace, "benchmark", ("read",))
        here = BenchServers(dsn, bootstrap, workspace, token.text)
        return await run.read(here, folder, ("pages", "totals"), 1, DEALS, QUESTIONS, None, lambda _: None)

    return asyncio.run(measured())


def test_every_page_and_total_is_right(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.open_api.pages.WARM_UP", 0)
    found = measure(kafka_bootstrap, fresh_database_url, tmp_path)
    assert found.keys() == {"pages", "worst_pages", "totals"}
    assert sum(row["kinds"] for row in found["pages"]) == found["worst_pages"]["kinds"] == len(list(cases()))
    assert [(row["total"], row["cells"]) for row in found["totals"]][:3] == [
        ("by stage", 10),
        ("by stage and owner", 20),
        ("by stage of one owner", 1),
    ]
    assert all(row["p50_ms"] <= row["p99_ms"] <= row["max_ms"] for row in (*found["pages"], *found["totals"]))


def test_a_wrong_page_is_not_measured(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An injected bug: deals are in another stage than their numbers give."""
    fill = run.fill

    def with_a_bug(servers: BenchServers, count: int, rival_too: bool) -> None:
        fill(servers, count, rival_too)
        with psycopg.connect(servers.dsn, autocommit=True) as conn:
            conn.execute("UPDATE read.deal SET stage = 'stage ' || number % 10")

    monkeypatch.setattr(run, "fill", with_a_bug)
    with pytest.raises(RuntimeError, match="A page of TOUCHED_AT_DESC stage eq is wrong"):
        measure(kafka_bootstrap, fresh_database_url, tmp_path)
