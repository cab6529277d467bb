"""The command line says in a sentence what is wrong and what to do, and exits with 1."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from crm.connector_catalogue import catalogue
from crm.scalars import Id
from crm.topics import TOPICS
from services.cli import app
from services.stack import demo_workspace, state
from services.stack.demo_workspace import Demo

WORKSPACE, FORM = Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01"), Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a02")


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "CRM_API_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("status", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        ("tail", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        ("token create", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        ("connect form", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        ("sql x", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        ("token create --scope all", "There is no scope all. Choose from read, write, connect, import, admin."),
        ("workspace create --name X", "No stack is running on {data}: start it with `crm up` (or `make run`)."),
        (
            "workspace create --name X --country UKR",
            "--country takes a two-letter ISO 3166 code such as UA or PL, not 'UKR'. No workspace was created.",
        ),
        (
            "workspace create --name X --currency грн",
            "--currency takes a three-letter ISO 4217 code such as UAH or EUR, not 'грн'. No workspace was created.",
        ),
        (
            "workspace create --name X --timezone Kyiv",
            "--timezone takes an IANA name such as Europe/Kyiv, not 'Kyiv'. No workspace was created.",
        ),
        (
            "workspace create --name X --id 7",
            "'7' is not an id: ids are UUIDs of 32 hexadecimal digits. Nothing was changed.",
        ),
        (
            "tail cows",
            f"There is no topic 'cows'. Choose one of {', '.join(TOPICS)}.",
        ),
        (
            "connect sms",
            f"There is no connector 'sms'; there are {', '.join(catalogue())}. Nothing was changed.",
        ),
        (
            "connect liqpay",
            "liqpay needs a secret, or its address stays off: the private key of the shop, at liqpay.ua under "
            "Business, API. Give it with --secret. Nothing was changed.",
        ),
        (
            "setup",
            "Set KAFKA_BOOTSTRAP and DATABASE_URL: `crm setup` works on existing servers; `crm up` starts its own.",
        ),
        (
            "up --replicas decide=many",
            "--replicas takes ROLE=N with one of the roles intake, api, decide, relay, project, outbound, "
            "not 'decide=many'.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(nothing_runs: Path, command: str, sentence: str) -> None:
    done = CliRunner().invoke(app, command.split())
    assert (done.exit_code, done.stderr) == (1, sentence.format(data=nothing_runs) + "\n")
    assert done.stdout == ""


def test_the_workspace_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = state.StackState(os.getpid(), state.born(os.getpid()), "", "", "", "", "", "", [], ready=True)
    state.write(state.data_folder(), stack)
    monkeypatch.setenv("CRM_WORKSPACE", "seven")
    done = CliRunner().invoke(app, ["why", "deal", "D-1", "stage"])
    refused = "'seven' is not an id: ids are UUIDs of 32 hexadecimal digits. Nothing was changed.\n"
    assert (done.exit_code, done.stderr) == (1, refused)


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_API_PORT", "eighty")
    done = CliRunner().invoke(app, ["doctor"])
    assert (done.exit_code, done.stderr) == (1, "CRM_API_PORT is 'eighty'; it takes a whole number.\n")


def test_to_stop_nothing_is_no_error(nothing_runs: Path) -> None:
    done = CliRunner().invoke(app, ["down", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"stopped": False})


def test_status_in_json_when_nothing_runs() -> None:
    done = CliRunner().invoke(app, ["status", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (1, {"running": False, "ready": False})


def test_a_stack_that_was_killed_does_not_run(nothing_runs: Path) -> None:
    """Its pid may belong to another process by now: the creation time distinguishes them."""
    gone = state.StackState(1, 12.5, str(nothing_runs), "", "", "", "", "", [], ready=True)
    state.write(nothing_runs, gone)
    assert CliRunner().invoke(app, ["status"]).exit_code == 1


def test_doctor_says_what_to_do() -> None:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    result = json.loads(done.stdout)
    wrong = {check["about"]: check["sentence"] for check in result["checks"] if not check["ok"]}
    assert (done.exit_code, result["ok"]) == (1, False)
    assert wrong["kafka"] == "No Kafka is configured: start the stack with `crm up`, or set KAFKA_BOOTSTRAP."


def test_what_holds_secrets_is_readable_by_its_owner_alone(nothing_runs: Path) -> None:
    state.write(nothing_runs, state.StackState(1, 0, "", "", "postgresql://u:p@h/d", "", "", "", []))
    assert state.path(nothing_runs).stat().st_mode & 0o777 == 0o600


def test_the_demo_workspace_is_found_again(nothing_runs: Path) -> None:
    demo = Demo(WORKSPACE, "crm_live_x", "seed", {"form": FORM})
    demo_workspace.path(nothing_runs).write_bytes(msgspec.json.encode(demo))
    found = demo_workspace.read(nothing_runs)
    assert found == demo
    assert found.form == FORM
