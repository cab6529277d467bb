"""`crm bench graphql` on a small scale: the answers are equal, and its JSON says so."""

import asyncio
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from crm.scalars import Id
from services.stack.access import create_token
from tests.bench.bench_servers import BenchServers
from tests.bench.graphql.queries import content
from tests.bench.graphql.run import compare_servers
from tests.bench.graphql.wrk import Load

MS = {"p50_ms", "p99_ms", "max_ms"}


async def small_run(bootstrap: str, dsn: str, folder: Path) -> dict[str, object]:
    workspace = Id(str(uuid4()))
    token = await create_token(bootstrap, workspace, "benchmark", ("read",))
    here = BenchServers(dsn, bootstrap, workspace, token.text)
    # Without PostGraphile: npm would fetch 185 packages here.
    return await compare_servers(here, 200, Load(1, 0, 2), None, folder, lambda _: None)


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_all_answer_the_same_and_the_figures_are_reported(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path
) -> None:
    found = asyncio.run(small_run(kafka_bootstrap, fresh_database_url, tmp_path))
    assert found["benchmark"] == "graphql"
    rows = found["questions"]
    assert isinstance(rows, list)
    assert [row["question"] for row in rows] == ["small", "nested", "deals_100", "deals_1000"]
    for row in rows:
        assert row["bytes"] > 100
        for server in ("potik", "plain strawberry"):
            assert row[server].keys() == MS | {"requests_per_s", "errors"}
            assert row[server]["errors"] == 0


def test_equal_is_what_is_said_not_how() -> None:
    ours = {"deals": [{"number": 7, "amount": {"minor": 5}, "touchedAt": "2026-01-01T00:00:00+00:00", "cursor": "a"}]}
    theirs = {"deals": [{"number": "7", "amountMinor": "5", "touchedAt": "2026-01-01T00:00:00.000000Z", "cursor": "b"}]}
    assert content(ours) == content(theirs)
    for name, other in {"number": 8, "amount": {"minor": 6}, "touchedAt": "2026-01-01T00:00:01Z", "cursor": ""}.items():
        assert content({"deals": [ours["deals"][0] | {name: other}]}) != content(theirs)
    assert content({"deals": [*ours["deals"], *ours["deals"]]}) != content(theirs)
