"""Bad input of the open API: each line has a sentence that says what was kept and what to do, and stops no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.running_stack import RunningStack, wait_until

SHIP: dict[str, Any] = {
    "key": "ship",
    "statuses": ["at_sea", "in_port"],
    "fields": [
        {"key": "crew", "type": "number", "indexed": True},
        {"key": "leads", "type": "relation", "target": "ship"},
        {"key": "name", "type": "text"},
    ],
}
MOMENT = "Two reports of the same moment differ in `{}`: {} counts, the larger text."
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"key": " 1"}, "The key ' 1' has blanks around it: two keys would look the same. Send it without them."),
    ({"key": 1}, "Expected `str`, got `int` in `key`. Send it as text, in quotes."),
    ({"fields": {f"f{n}": n for n in range(10_000)}},
     "It has 10000 fields; an object has at most 200. Use several types with relations."),
    ({"version": 2**63}, "In `version`: it does not fit into 64 bits."),
    ({"merged_into": "1"}, "An object cannot be merged into itself."),
    ({"type": "DealReported", "key": "1 "},
     "In `key`: '1 ' is empty or has blanks around it. Send it exactly as it is stored."),
    ({"type": "DealReported", "fields": {f"f{n}": n for n in range(10_000)}},
     "It has 10000 fields; a report has at most 500. Send it in parts."),
    ({"type": "FormSubmitted", "key": None, "fields": {f"f{n}": n for n in range(10_000)}},
     "It has 10000 fields; a form has at most 500. Leave out some, or put several into one as a list or an object."),
]  # fmt: skip
TAKEN: list[dict[str, Any]] = [
    {"key": "a", "fields": {"leads": "b"}},  # a circle
    {"key": "b", "fields": {"leads": "a"}},
    {"key": "own", "fields": {"leads": "own", "crew": "many"}},
    {"key": "twice", "status": "at_sea"},
    {"key": "twice", "status": "in_port"},
    {"key": "gone", "version": 5, "deleted": True},
    {"key": "gone", "version": 3, "status": "at_sea"},
    {"key": "back", "version": 5, "deleted": True},
    {"key": "back", "version": 6, "status": "at_sea"},
    {"key": "this", "merged_into": "that"},  # a circle of merges
    {"key": "that", "merged_into": "this"},
    {"type": "DealReported", "key": "twice", "title": "A"},
    {"type": "DealReported", "key": "twice", "title": "B"},
    {"type": "DealReported", "key": "gone", "version": 5, "deleted": True},
    {"type": "DealReported", "key": "gone", "version": 3, "title": "Late"},
    {"type": "DealReported", "key": "this", "merged_into": "that"},
    {"type": "DealReported", "key": "that", "merged_into": "this"},
]
SHIPS = """{ objects(type: "ship", first: 50) { nodes {
  key status doubts mergedKeys relations { object { key relations { object { key } } } } } } }"""
DEAL = "query ($key: String!) { deals(externalId: $key) { nodes { title stage doubts timeline { nodes { text } } } } }"


def lines(*reports: dict[str, Any]) -> bytes:
    whole = ({"type": "ObjectReported", "key": "1", "version": 1, **report} for report in reports)
    named = ({**one, **({"object": "ship"} if one["type"] == "ObjectReported" else {})} for one in whole)
    dealt = ({**one, **({"system": "port"} if one["type"] == "DealReported" else {})} for one in named)
    kept = ({k: v for k, v in one.items() if one["type"] != "FormSubmitted" or k != "version"} for one in dealt)
    return b"".join(json.dumps(one).encode() + b"\n" for one in kept)


def verdicts(stack: RunningStack, *reports: dict[str, Any], **headers: str) -> list[Any]:
    answer = stack.facts(lines(*reports), "application/x-ndjson", **headers)
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture(scope="module")
def defined(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ships") / "ship.json"
    file.write_text(json.dumps(SHIP))
    assert stack.terminal.run_json(f"object define {file}")[0]["result"] in ("defined", "unchanged")
    return file


@pytest.mark.usefixtures("defined")
def test_what_can_never_be_taken_is_refused_and_stops_nothing_else(stack: RunningStack) -> None:
    found = verdicts(stack, *(report for report, _ in REFUSED), {"key": "after", "status": "in_port"})
    assert [verdict.get("message") for verdict in found] == [*(sentence for _, sentence in REFUSED), None]
    assert [verdict["status"] for verdict in found] == ["refused"] * len(REFUSED) + ["accepted"]
    assert stack.ask_when_settled('{ object(type: "ship", key: "after") { status } }')["object"]["status"] == "in_port"


@pytest.mark.usefixtures("defined")
def test_what_is_taken_says_on_its_row_what_did_not_count(stack: RunningStack) -> None:
    before = stack.rows("quarantine")
    assert {verdict["status"] for verdict in verdicts(stack, *TAKEN)} <= {"accepted", "repeated"}
    ships = {one.pop("key"): one for one in stack.ask_when_settled(SHIPS)["objects"]["nodes"]}
    circle = [{"object": {"key": "b", "relations": [{"object": {"key": "a"}}]}}]
    assert (ships["a"]["relations"], ships["a"]["doubts"]) == (circle, [])
    assert sorted(ships["own"]["doubts"]) == [
        "'crew' takes a number. The value \"many\" was not taken.",
        "'leads' points to the object itself. The value \"own\" was not taken.",
    ]
    assert (ships["twice"]["status"], ships["twice"]["doubts"]) == ("in_port", [MOMENT.format("status", '"in_port"')])
    assert "gone" not in ships and ships["back"]["status"] == "at_sea"
    (kept,) = {"this", "that"} & ships.keys()
    (other,) = {"this", "that"} - {kept}
    circular = f"It was not merged into '{other}', which was merged into \"{kept}\" itself: name that one."
    assert (ships[kept]["doubts"], ships[kept]["mergedKeys"]) == ([circular], [f"ship:{other}"])
    (twice,) = stack.ask(DEAL, key="port:twice")["deals"]["nodes"]
    assert twice["title"] == "B" and any("the larger" in entry["text"] for entry in twice["timeline"]["nodes"])
    (gone,) = stack.ask(DEAL, key="port:gone")["deals"]["nodes"]
    assert (gone["title"], gone["stage"]) == ("Late", "lost")
    doubts = [stack.ask(DEAL, key=f"port:{key}")["deals"]["nodes"][0]["doubts"] for key in ("this", "that")]
    refused = "port:{0} cannot be merged into port:{1}: that one is merged into it."
    assert doubts in ([[refused.format("this", "that")], []], [[], [refused.format("that", "this")]])
    assert stack.rows("quarantine") == before


def test_the_type_of_a_field_with_values_does_not_change(stack: RunningStack, defined: Path, tmp_path: Path) -> None:
    assert verdicts(stack, {"key": "manned", "fields": {"crew": 7}})[0]["status"] in ("accepted", "repeated")
    stack.settle()
    other = tmp_path / "ship.json"
    other.write_text(defined.read_text().replace('"type": "number"', '"type": "text"'))
    (outcome,) = stack.terminal.run_json(f"object define {other}", expect=1)
    assert (outcome["result"], outcome["why"]) == (
        "refused",
        "The field 'crew' takes number and has values, which stay. Use another key for a text. Nothing was changed.",
    )


@pytest.mark.usefixtures("defined")
def test_the_same_key_of_another_workspace_is_another_record(stack: RunningStack) -> None:
    mine: list[dict[str, Any]] = [
        {"key": "mine", "status": "at_sea"},
        {"type": "DealReported", "key": "mine", "title": "Mine"},
    ]
    verdicts(stack, *mine)
    made = stack.terminal.run_json(
        "workspace create --name Elsewhere --country PL --currency PLN --timezone Europe/Warsaw"
    )
    theirs: list[dict[str, Any]] = [
        {"version": 9, "status": "in_port", **mine[0]},
        {**mine[1], "version": 9, "title": "Theirs"},
    ]
    theirs_alone = {"authorization": f"Bearer {made['token']}"}
    wait_until(lambda: "unknown token" if stack.facts(b"", **theirs_alone).status_code == 401 else None)
    answer = verdicts(stack, *theirs, **theirs_alone)
    assert [verdict["status"] for verdict in answer] == ["accepted", "accepted"]
    found = stack.ask_when_settled('{ object(type: "ship", key: "mine") { status } }')
    assert found["object"]["status"] == "at_sea"
    assert [deal["title"] for deal in stack.ask(DEAL, key="port:mine")["deals"]["nodes"]] == ["Mine"]


def test_nothing_is_followed_by_what_has_no_index(stack: RunningStack) -> None:
    headers = {"authorization": f"Bearer {stack.token}", "accept": "text/event-stream"}
    query = 'subscription { objectChanged(title: "x") { id } }'
    answer = stack.http.post(stack.graphql_url, json={"query": query}, headers=headers).text
    assert (
        "A subscription is filtered by columns that have an index, here: id, mergedKey, relatedTo, status, type."
        in answer
    )
