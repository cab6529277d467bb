"""`crm whatif` on a running stack: decides a past period again without touching live data."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from crm.engine.workspaces import create_workspace
from crm.scalars import Id
from tests.support.running_stack import RunningStack, wait_until

CONTENT = """
SELECT md5(coalesce(string_agg(s::text, '|' ORDER BY s.workspace, s.key), '')) FROM core.state AS s
UNION ALL SELECT sum(next)::text FROM core.journal_head
UNION ALL SELECT md5(string_agg(d::text, '|' ORDER BY d.deal_id)) FROM read.deal AS d"""


@pytest.fixture(scope="module")
def shop(stack: RunningStack) -> Id:
    """Sends six forms to a workspace whose owners take turns."""
    workspace = Id(str(uuid4()))
    asyncio.run(create_workspace(stack.running().database_url, workspace, "Shop", owners=("anna", "borys")))
    url = stack.terminal.run_json(f"connect form --workspace {workspace}")["url"]
    first = {"phone": "067 500 00 00"}
    wait_until(lambda: None if stack.http.post(url, data=first).is_success else "404")
    for n in range(1, 6):
        stack.settle()  # of two that wait in different partitions either may be decided first
        assert stack.http.post(url, data={"phone": f"067 500 00 0{n}"}).is_success
    stack.settle()
    return workspace


def content(stack: RunningStack) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.running().database_url) as connection:
        return connection.execute(CONTENT).fetchall()


def begun(stack: RunningStack, shop: Id) -> str:
    """Returns the time of its first form."""
    with psycopg.connect(stack.running().database_url) as connection:
        query = "SELECT min(opened_at) AT TIME ZONE 'UTC' FROM read.deal WHERE workspace = %s"
        (first,) = connection.execute(query, [shop]).fetchone() or (None,)
    assert first
    return str(first.isoformat())


def test_other_rules_over_a_past_period(stack: RunningStack, shop: Id, tmp_path: Path) -> None:
    rules, chart = tmp_path / "rules.json", tmp_path / "chart.html"
    rules.write_text(json.dumps({"rules": [{"name": "all", "owners": ["olha"]}]}))
    before = content(stack)
    report = stack.terminal.run_json(
        f"whatif run {rules} --workspace {shop} --since {begun(stack, shop)} --name olha --chart {chart}"
    )
    deals = report["deals"]
    assert [deal["number"] for deal in deals] == [1, 2, 3, 4, 5, 6]
    assert {deal["would_owner"] for deal in deals} == {"olha"}
    assert report["owners"] == [
        {"owner": "anna", "deals": 3, "would_deals": 0, "touch_s": None},
        {"owner": "borys", "deals": 3, "would_deals": 0, "touch_s": None},
        {"owner": "olha", "deals": 0, "would_deals": 6, "touch_s": None},
    ]
    assert (
        "vega" in chart.read_text()
        and "cdn" not in chart.read_text()[:10_000]
        and "<script src" not in chart.read_text()
    )
    assert content(stack) == before
    with psycopg.connect(stack.running().database_url) as connection:
        kept = connection.execute("SELECT number, would_owner FROM whatif_olha.deal ORDER BY 1").fetchall()
    assert kept == [(n, "olha") for n in range(1, 7)]
    assert [trial["schema"] for trial in stack.terminal.run_json("whatif list")] == ["whatif_olha"]
    assert "is dropped" in stack.terminal.run("whatif drop olha").stdout
    assert stack.terminal.run_json("whatif list") == []


def test_the_rules_that_were_give_what_was(stack: RunningStack, shop: Id, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [{"name": "everybody in turn", "owners": ["anna", "borys"]}]}))
    report = stack.terminal.run_json(f"whatif run {rules} --workspace {shop} --since 2h")
    assert [deal["owner"] for deal in report["deals"]] == [deal["would_owner"] for deal in report["deals"]]
    assert report["stumbled"] == {}


def test_a_backfilled_month_is_tried_by_the_dates_of_its_facts(stack: RunningStack, shop: Id, tmp_path: Path) -> None:
    """It was recorded today, so by the time of recording it could not be tried."""
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [{"name": "all", "owners": ["olha"]}]}))
    token = stack.terminal.run_json(f"token create --workspace {shop}")["token"]
    facts = [
        {
            "type": "FormSubmitted",
            "id": f"october {day}",
            "occurred_at": f"2025-10-{day:02}T10:00:00Z",
            "sender": f"sender {day}",
            "phones": [f"+3805022200{day:02}"],
        }
        for day in (3, 1, 2)
    ]
    body = "\n".join(map(json.dumps, facts))
    url = f"{stack.running().intake_url}/facts"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    wait_until(lambda: None if stack.http.post(url, content=body, headers=headers).status_code == 200 else "401")
    stack.settle()
    period = "--since 2025-10-01 --until 2025-11-01 --clock occurred"
    report = stack.terminal.run_json(f"whatif run {rules} --workspace {shop} {period}")
    assert [deal["would_owner"] for deal in report["deals"]] == ["olha"] * 3
    assert report["stumbled"] == {}
    printed = stack.terminal.run(f"whatif run {rules} --workspace {shop} {period} --top 1").stdout
    assert "3 deals, 3 would differ." in printed and "… and 2 more: --top prints more of them." in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--since 1h --until 2h", "the period is empty"),
        ("--name A-b", "cannot be the name of a trial"),
        ("--since 3h --until 2h", "This workspace has no events before"),
        ("--since 2001-01-01 --until 2002-01-01 --clock occurred", "No fact of this workspace is dated in this period"),
        ("--since yesterday", "'yesterday' is no moment"),
    ],
)
def test_wrong_use_is_refused_in_a_sentence(
    stack: RunningStack, shop: Id, tmp_path: Path, words: str, said: str
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": [{"name": "all", "owners": ["olha"]}]}))
    done = stack.terminal.run(f"whatif run {rules} --workspace {shop} {words}", expect=1)
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr
