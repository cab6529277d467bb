"""Each command on a running stack: JSON for programs, sentences for people, never a traceback."""

import json
from typing import Any

import httpx
import pytest

from tests.support.running_stack import RunningStack, wait_until

DEALS = "{ deals(first: 1) { nodes { number } } }"

WAITS = "{ quarantine(first: 100) { nodes { phones } } }"


def answer(stack: RunningStack, token: str) -> httpx.Response:
    return stack.http.post(stack.graphql_url, json={"query": DEALS}, headers={"authorization": f"Bearer {token}"})


def test_the_doctor_finds_nothing_wrong_once_nobody_waits_in_quarantine(stack: RunningStack) -> None:
    url = stack.terminal.run_json("connect form --name Illegible")["url"]
    lead, pdf = b"%PDF-1.7 Call me: 067 400 00 09", {"content-type": "application/pdf"}
    wait_until(lambda: None if stack.http.post(url, content=lead, headers=pdf).is_success else "404")
    stack.wait_for_match(
        WAITS, lambda data: any(one["phones"] == ["+380674000009"] for one in data["quarantine"]["nodes"])
    )
    report = stack.terminal.run_json("doctor", expect=1)
    assert "leads" in [check["about"] for check in report["checks"] if not check["ok"]]
    stack.empty_quarantine()
    report = stack.terminal.run_json("doctor")
    assert (report["ok"], [check for check in report["checks"] if not check["ok"]]) == (True, [])
    assert ":***@" in report["settings"]["DATABASE_URL"]


def test_status_tells_every_role(stack: RunningStack) -> None:
    report = stack.terminal.run_json("status")
    assert (report["running"], report["ready"], report["graphql_url"]) == (True, True, stack.graphql_url)
    roles = {role["name"]: role for role in report["roles"]}
    always = ["kafka", "postgres", "intake", "api", "decide", "relay", "project", "outbound"]
    assert [*roles][: len(always)] == always  # others are started when somebody needs them
    lagging = [name for name, role in roles.items() if role["lag"] is not None]
    assert lagging == ["decide", "relay", "project", "outbound"]
    for role in report["roles"]:
        for path in ("/livez", "/readyz", "/metrics") if role["url"] else ():
            assert stack.http.get(role["url"] + path).status_code == 200, (role["name"], path)


def test_a_connection_takes_deliveries_as_soon_as_it_is_made(stack: RunningStack) -> None:
    made = stack.terminal.run_json("connect form --name Landing")
    wait_until(lambda: None if stack.http.post(made["url"], data={"phone": "067 400 00 01"}).is_success else "404")
    query = 'query { caller(phone: "+380674000001") { openDeals { source } } }'
    stack.wait_for_answer(query, {"caller": {"openDeals": [{"source": "form"}]}})
    again = stack.terminal.run_json(f"connect form --name Landing --connection {made['connection']}")
    assert again["url"] == made["url"]


def test_a_webhook_from_a_terminal(stack: RunningStack) -> None:
    run, ask = stack.terminal.run, stack.terminal.run_json
    said = run("webhooks add http://example.com/ --type WorkspaceCreated", expect=1).stderr
    assert said == "It must begin with https://: events are about people. Nothing was changed.\n"
    made = ask("webhooks add https://example.com/hooks --type WorkspaceCreated --stage paid")
    id = made["webhook_id"]
    assert made["secret"].startswith("whsec_")

    def listed() -> dict[str, Any]:
        return {one["webhook_id"]: one for one in ask("webhooks list")}

    wait_until(lambda: None if id in listed() else "not there yet")
    found = listed()[id]
    assert (found["name"], found["types"], found["stages"]) == ("example.com", ["WorkspaceCreated"], ["paid"])
    assert ask(f"webhooks rotate {id} --hours 1")["secret"] != made["secret"]
    assert ask(f"webhooks change {id} --off --thin --changed amount_minor")["changed"] is True
    wait_until(lambda: "it is on" if listed()[id]["enabled"] else None)
    assert (listed()[id]["thin"], listed()[id]["changed"], listed()[id]["url"]) == (
        True,
        ["amount_minor"],
        found["url"],
    )
    assert ask(f"webhooks log {id}") == []
    assert "has no delivery" in run(f"webhooks show {id} {id}", expect=1).stderr
    assert ask(f"webhooks remove {id}")["changed"] is True
    wait_until(lambda: "it is there" if id in listed() else None)


def test_a_token_reads_until_it_is_revoked(stack: RunningStack) -> None:
    made = stack.terminal.run_json("token create --name brief --scope read")
    wait_until(lambda: None if answer(stack, made["token"]).status_code == 200 else "401")
    assert stack.facts(b"{}", authorization=f"Bearer {made['token']}").json()["error"] == (
        "This token lacks the scope write. Nothing was kept. Create one that has it."
    )
    listed = {token["id"]: token for token in stack.terminal.run_json("token list")}
    assert (listed[made["id"]]["name"], listed[made["id"]]["scopes"]) == ("brief", ["read"])
    assert stack.terminal.run_json(f"token revoke {made['id']}") == {"id": made["id"], "revoked": True}
    assert made["id"] not in {token["id"] for token in stack.terminal.run_json("token list")}
    wait_until(lambda: None if answer(stack, made["token"]).status_code == 401 else "still reads")
    for token in (made["token"], "crm_live_unknown", "-"):
        refused = answer(stack, token)
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["extensions"]["code"]) == (401, "UNAUTHORIZED")
        assert "`crm token create` makes a new one." in error["message"]


def test_tail_shows_what_was_decided_and_masks_people(stack: RunningStack) -> None:
    stack.terminal.run("demo")
    lines = stack.terminal.run("tail journal --from-start --count 20 --json").stdout.splitlines()
    assert len(lines) == 20
    assert all({"topic", "type", "workspace", "stream", "at"} <= json.loads(line).keys() for line in lines)
    assert "Олена" not in "".join(lines)


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("connect nobody", 1, "There is no connector 'nobody'; there are api, asterisk, binotel,"),
        ("connect liqpay", 1, "liqpay needs a secret"),
        ("connect form --setting x", 1, "--setting takes KEY=VALUE"),
        ("connect form --connection x", 1, "'x' is not an id"),
        ("connect form --workspace x", 1, "'x' is not an id"),
        ("token create --scope fly", 1, "There is no scope fly. Choose from read,"),
        ("token create --workspace x", 1, "'x' is not an id"),
        ("tail nothing", 1, "There is no topic 'nothing'"),
        ("up --replicas decide", 1, "--replicas takes ROLE=N"),
        ("up", 1, "A stack is running on"),
        ("demo --access /nowhere/demo.json", 1, "There is no /nowhere/demo.json"),
        ("status --data /nowhere", 1, "No stack is running on /nowhere"),
        ("token create --data /nowhere", 1, "No stack is running on /nowhere"),
        ("tail journal --count x", 2, "Usage: crm tail"),
        ("fly", 2, "No such command 'fly'"),
        ("connect", 2, "Missing argument"),
    ],
)
def test_wrong_use_is_answered_in_a_sentence(stack: RunningStack, command: str, code: int, sentence: str) -> None:
    done = stack.terminal.run(command, expect=code)
    said = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert sentence in said
    assert "Traceback" not in said
