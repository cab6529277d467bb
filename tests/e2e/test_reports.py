"""Facts that update, through POST /facts: the newest counts in any order, and everything is found by its own key."""

import json
import re
from typing import Any

from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT

NDJSON = "application/x-ndjson"
DEAL = """query($id: String!) { deals(externalId: $id) { nodes {
  id title stage owner source openedAt amount { text } fields externalIds doubts contact { name accounts } } } }"""


def send(stack: RunningStack, *reports: dict[str, Any]) -> None:
    answer = stack.facts(b"\n".join(json.dumps(report).encode() for report in reports), NDJSON)
    assert answer.text.count('"accepted"') == len(reports), answer.text
    stack.settle()


def deal(key: str, version: int, **said: Any) -> dict[str, Any]:
    at = f"2026-10-0{version}T10:00:00Z"
    return {"type": "DealReported", "system": "shop", "key": key, "version": version, "changed_at": at} | said


def test_the_example_of_the_docs(stack: RunningStack) -> None:
    page = (ROOT / "docs" / "streaming-in.md").read_text("utf-8")
    (body,) = re.findall(r"<<'FACTS'\n(.*?)FACTS", page, re.DOTALL)
    body = body.replace("050 123 45 67", "050 123 98 17")  # another test's card has that of the page
    send(stack, *map(json.loads, body.splitlines()))
    (found,) = stack.ask(DEAL, id="shop:17")["deals"]["nodes"]
    assert {name: found[name] for name in found if name != "id"} == {
        "title": "Order 17",
        "stage": "in_progress",
        "owner": "anna@example.com",
        "source": "shop",
        "openedAt": "2026-11-01T10:00:00+00:00",
        "amount": {"text": "1250.00 UAH"},
        "fields": {"city": "Львів"},
        "externalIds": ["shop:17"],
        "doubts": [],
        "contact": {"name": "Олена", "accounts": ["shop:42"]},
    }
    contacts = stack.ask('{ contacts(account: "shop:42") { nodes { name phones } } }')["contacts"]["nodes"]
    assert contacts == [{"name": "Олена", "phones": ["+380501239817"]}]


def test_reports_in_any_order_and_twice_end_in_the_same(stack: RunningStack) -> None:
    said: list[dict[str, Any]] = [
        {"stage": "new", "title": "Order", "amount": "100.00"},
        {"deleted": True},
        {"title": "Order again"},
    ]
    for key, order in (("forth", (1, 2, 3)), ("back", (3, 2, 1, 2, 3))):
        send(stack, *(deal(key, version, **said[version - 1]) for version in order))
    ends = [stack.ask(DEAL, id=f"shop:{key}")["deals"]["nodes"] for key in ("forth", "back")]
    for (end,) in ends:
        assert (end["stage"], end["title"], end["amount"]) == ("new", "Order again", {"text": "100.00 UAH"})
        assert end["openedAt"] == "2026-10-01T10:00:00+00:00"


def test_what_changed_is_in_the_timeline_and_why_leads_to_the_report(stack: RunningStack) -> None:
    send(stack, deal("why", 1, stage="new"))
    send(stack, deal("why", 2, stage="won", owner="o" * 300))
    (found,) = stack.ask(DEAL, id="shop:why")["deals"]["nodes"]
    assert (found["stage"], found["doubts"]) == (
        "won",
        ["The owner has 300 characters; it has at most 200: not changed."],
    )
    answer = stack.ask("query($id: ID!) { deal(id: $id) { timeline { nodes { title text } } } }", id=found["id"])
    entries = answer["deal"]["timeline"]["nodes"]
    assert {"title": "Stage new → won", "text": "shop says so"} in entries
    assert {"title": "Deal changed", "text": found["doubts"][0]} in entries
    (link,) = stack.terminal.run_json(f"why deal {found['id']} stage --data {stack.data}")
    assert (link["event"], link["fact"]["type"], link["fact"]["said"]["version"]) == (
        "DealStageMoved",
        "DealReported",
        2,
    )


def test_a_key_with_blanks_is_refused_and_nothing_is_known_by_it(stack: RunningStack) -> None:
    answer = stack.facts(json.dumps(deal("blank ", 1)).encode()).json()
    assert (answer["accepted"], answer["facts"][0]["field"]) == (0, "key")
    assert (
        stack.ask(DEAL, id="shop:blank ")["deals"]["nodes"] == stack.ask(DEAL, id="shop:blank")["deals"]["nodes"] == []
    )
