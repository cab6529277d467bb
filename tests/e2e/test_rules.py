"""Stage rules on the running stack: set by a file, acting once on a card, sent by Telegram, explained and tried."""

import json
from pathlib import Path

from tests.e2e.test_replies import becomes, conversation_of, telegram
from tests.support.running_stack import RunningStack, wait_until

CARD = """query($id: ID!) { conversation(id: $id) { unanswered contact { openDeals { id number
  tasks(first: 9) { nodes { id title dueAt } } timeline(first: 50) { nodes { kind title text } } } } } }"""
MOVE = """mutation($id: ID!, $stage: String!) { dealMoveStage(input: { dealId: $id, stage: $stage }) {
  userErrors { message } } }"""
ASSIGN = 'mutation($id: ID!) { dealAssign(input: { dealId: $id, owner: "rules" }) { userErrors { message } } }'
OFFER = {
    "name": "offer",
    "stage": "in_progress",
    "owner": "rules",
    "task": {"title": "Pack {deal_number}", "due_hours": 4},
    "message": {"text": "{deal_number} буде завтра"},
}
BILL = {"name": "bill", "stage": "in_progress", "owner": "rules", "message": {"text": "{amount}"}}


def apply(stack: RunningStack, file: Path, *rules: object, more: str = "") -> list[str]:
    file.write_text(json.dumps({"stage_rules": rules}))
    difference: list[str] = stack.terminal.run_json(f"rules apply {file} {more}")["difference"]
    return difference


def test_a_rule_writes_once_and_says_why(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    assert apply(stack, file, OFFER, BILL, more="--dry-run") == [
        "+ stage rule bill: in_progress: message",
        "+ stage rule offer: in_progress: task, message",
    ]
    assert stack.terminal.run_json("rules list") == []
    assert len(apply(stack, file, OFFER, BILL)) == 2
    try:
        conversation = conversation_of(stack, 7201, "Коли_буде_стіл?")
        (deal,) = stack.ask(CARD, id=conversation)["conversation"]["contact"]["openDeals"]
        assert stack.ask(ASSIGN, id=deal["id"])["dealAssign"]["userErrors"] == []
        text = f"D-{deal['number']} буде завтра"
        with telegram(stack) as vendor:
            for stage in ("in_progress", "new", "in_progress"):
                assert stack.ask(MOVE, id=deal["id"], stage=stage)["dealMoveStage"]["userErrors"] == []
            becomes(stack, conversation, (text, "sent"))
            assert vendor.taken == [("7201", text)]
        stack.settle()
        card = stack.ask(CARD, id=conversation)["conversation"]
        assert card["unanswered"] is True
        (deal,) = card["contact"]["openDeals"]
        (task,) = deal["tasks"]["nodes"]
        assert task["title"] == f"Pack D-{deal['number']}"
        entries = [e for e in deal["timeline"]["nodes"] if e["kind"] == "StageRuleApplied"]
        reached = f"D-{deal['number']} reached in_progress, its owner is rules"
        assert sorted((entry["title"], entry["text"]) for entry in entries) == [
            ("Rule “bill” (version 1)", f"{reached}\nNo message: nothing is known for {{amount}}."),
            (
                "Rule “offer” (version 1)",
                f"{reached}\nTask for rules: Pack D-{deal['number']}\nMessage by telegram: {text}",
            ),
        ]
        why = stack.terminal.run(f"why task {task['id']} title").stdout
        assert f"why: rule “offer” (version 1): {reached}; by rule offer" in why
        tried(stack, file)
        assert "The stage rule offer is off from now on." in stack.terminal.run("rules off offer").stderr
        assert "is off" not in stack.terminal.run("rules on offer").stderr
    finally:
        assert apply(stack, file) == ["- stage rule bill", "- stage rule offer"]


def tried(stack: RunningStack, file: Path) -> None:
    """The same rules on the last hour touch this deal alone; its chat would have been written to once."""
    report = stack.terminal.run_json(f"whatif run {file} --since 1h --name rules")
    names = ("deals", "tasks", "messages", "webhooks", "left_out")
    found = {total["rule"]: [total[name] for name in names] for total in report["stage_rules"]}
    assert found == {"offer": [1, 1, 1, 0, 0], "bill": [1, 0, 0, 0, 1]}
    printed = stack.terminal.run(f"whatif run {file} --since 1h --name rules").stdout
    assert "stage rule" in printed and "left out" in printed
    stack.terminal.run("whatif drop rules")


def test_a_rule_that_is_not_there_is_named(stack: RunningStack) -> None:
    wait_until(lambda: None if stack.terminal.run_json("rules list") == [] else "rules of another test")
    refused = stack.terminal.run("rules off nothing", expect=1)
    assert "There is no stage rule 'nothing'; there are: none. Nothing was changed." in refused.stderr.replace(
        "\n", " "
    )
