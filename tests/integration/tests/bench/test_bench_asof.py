"""`crm bench asof` on a small scale: each answer is what the card's events fold to, and a wrong one is counted."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm.events import DealPaid
from crm.scalars import Id
from crm.topics import JOURNAL
from services.stack.access import create_token
from services.stack.topics import create_missing
from tests.bench import asof
from tests.bench.bench_servers import BenchServers
from tests.support.workload.long_history import long_history


def test_one_card_at_many_moments(
    kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asof, "WARM_UP", 0)
    topic = f"journal-{uuid4().hex[:8]}"

    async def run() -> list[dict[str, Any]]:
        await create_missing(kafka_bootstrap, topics=[replace(JOURNAL, name=topic)])
        workspace = Id(str(uuid4()))
        token = await create_token(kafka_bootstrap, workspace, "benchmark", ("read",))
        here = BenchServers(fresh_database_url, kafka_bootstrap, workspace, token.text)
        events = list(long_history(workspace, 60))
        await asof.write_history(here, events, topic)
        unpaid = [event for event in events if not isinstance(event, DealPaid)]  # an injected bug
        return [await asof.measure_queries(here, tmp_path, history, 20, lambda _: None) for history in (events, unpaid)]

    right, wrong = asyncio.run(run())
    assert (right["graphql"]["answers"], right["graphql"]["wrong"]) == (20, 0), right["graphql"]["first_wrong"]
    assert wrong["graphql"]["wrong"] > 5
    assert right["plain"]["p50_ms"] <= right["plain"]["max_ms"]
