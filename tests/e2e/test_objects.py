"""Runs docs/objects.md: types from its file, its lines through POST /facts, and its questions."""

import json
import re
from pathlib import Path
from typing import Any

from crm.objects import object_id
from crm.scalars import Id
from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT
from tests.support.timeouts import TIMEOUT

PAGE = (ROOT / "docs" / "objects.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(TYPES,) = [text for kind, text in BLOCKS if kind == "json"]
(LINES,) = [text for kind, text in BLOCKS if kind == "ndjson"]
ONE, LIST, RANGE, CARDS, HISTORY, CHANGES, BY_HAND = [text for kind, text in BLOCKS if kind == "graphql"]
PHONE = "+380677654321"


def test_a_marketplace(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "marketplace.json"
    file.write_text(TYPES)
    early = '{"type": "ObjectReported", "object": "incident", "key": "1", "status": "open"}'
    assert stack.facts(early.encode()).json()["accepted"] == 1
    assert [one["result"] for one in stack.terminal.run_json(f"object define {file}")] == ["defined", "defined"]
    assert [one["result"] for one in stack.terminal.run_json(f"object define {file}")] == ["unchanged", "unchanged"]
    stack.settle()
    assert {"product", "seller"} <= {kind["key"] for kind in stack.terminal.run_json("object list")}
    form = {"type": "FormSubmitted", "name": "Oksana", "phones": [PHONE]}
    assert stack.facts(json.dumps(form).encode()).json()["accepted"] == 1
    with stack.subscribed(CHANGES) as ws:
        answer = stack.facts(LINES.encode(), "application/x-ndjson")
        assert answer.text.count('"accepted"') == 5, answer.text
        pushed = [json.loads(ws.recv(TIMEOUT))["payload"]["data"]["objectChanged"]["object"] for _ in range(3)]
    assert {(one["type"], one["key"]) for one in pushed} <= {
        ("seller", "42"),
        ("product", "SKU-1"),
        ("product", "SKU-2"),
    }
    seller = stack.ask_when_settled(ONE)["object"]
    assert seller == {
        "title": "Oksana's Ceramics",
        "status": "active",
        "fields": {"rating": 4.8, "city": "Lviv", "owner": {"phone": "+380 67 765 43 21"}},
        "doubts": [],
        "relations": [{"target": f"phone:{PHONE}", "contact": {"phones": [PHONE]}, "object": None, "deal": None}],
        "relatedObjects": [
            {"key": "SKU-2", "title": "Red vase", "status": "sold_out"},
            {"key": "SKU-1", "title": "Blue vase", "status": "on_sale"},
        ],
    }
    assert [node["key"] for node in stack.ask(LIST)["objects"]["nodes"]] == ["SKU-1"]
    ranged = stack.ask(RANGE)["objectsBy"]
    assert [(node["key"], node["fields"]["price"]) for node in ranged["nodes"]] == [("SKU-2", 1200), ("SKU-1", 499.9)]
    assert ranged["totalCount"] == {"count": 2}
    cards = stack.ask(CARDS)
    assert cards["contacts"]["nodes"] == [{"objects": [{"key": "42", "title": "Oksana's Ceramics"}]}]
    assert {hit["node"]["key"] for hit in cards["search"]["hits"]} >= {"SKU-1", "SKU-2"}
    was, why = history(stack)
    assert was == {"status": "on_sale"}
    assert [(one["before"], one["value"]) for one in why] == [("on_sale", "sold_out"), (None, "on_sale")]
    assert json.loads(why[0]["delivery"]["body"])["key"] == "SKU-2"
    taken_up(stack, tmp_path)


def history(stack: RunningStack) -> tuple[Any, Any]:
    assert stack.demo
    answer = stack.ask(HISTORY, id=object_id(Id(stack.demo.workspace), "product", "SKU-2"))
    return answer["then"], answer["why"]


def taken_up(stack: RunningStack, tmp_path: Path) -> None:
    """A report of an unknown type waits in quarantine until the type is defined."""
    (waiting,) = [one for one in stack.rows("quarantine") if "'incident'" in one["reason"]]
    assert waiting["reason"].startswith("No type of objects 'incident' is defined in this workspace.")
    file = tmp_path / "incident.json"
    file.write_text('{"key": "incident", "statuses": ["open", "closed"]}')
    stack.terminal.run(f"object define {file}")
    stack.terminal.run(f"quarantine reparse {waiting['id']}")
    found = stack.ask_when_settled('{ object(type: "incident", key: "1") { status } }')
    assert found == {"object": {"status": "open"}}


def test_bad_lines_are_refused_with_a_sentence(stack: RunningStack) -> None:
    line = {"type": "ObjectReported", "object": "seller", "key": " 42"}
    (verdict,) = stack.facts(json.dumps(line).encode()).json()["facts"]
    assert (verdict["status"], verdict["field"]) == ("refused", "key")
    assert verdict["message"] == (
        "The key ' 42' has blanks around it: two keys would look the same. Send it without them."
    )


def test_an_object_is_changed_by_hand(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "marketplace.json"
    file.write_text(TYPES)
    stack.terminal.run(f"object define {file}")
    headers = {"authorization": f"Bearer {stack.token}", "idempotency-key": "objects by hand"}
    body = stack.http.post(stack.graphql_url, json={"query": BY_HAND}, headers=headers).json()
    changed = body["data"]["objectChange"]
    assert changed["userErrors"] == [] and changed["object"]["status"] == "blocked"
    assert changed["object"]["fields"]["city"] == "Kyiv"
