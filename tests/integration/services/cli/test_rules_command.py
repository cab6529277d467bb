"""`crm rules`, and commands for a workspace that does not exist, on a real Postgres."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from typer.testing import CliRunner

from crm.contract.codec import decode
from crm.engine.workspaces import create_workspace
from crm.envelope import Event
from crm.events import AssignmentRulesSet, PipelineChanged
from crm.scalars import Id
from services.cli import app
from tests.integration.crm.engine.test_deciding import SLICES
from tests.support.records import open_connection

EVERYBODY = {"name": "everybody in turn", "owners": ["anna", "borys"]}
FORMS = {"name": "forms", "owners": ["olha"], "source": "form", "pick": "first"}


class Session:
    """A workspace whose owners take turns, at a command line."""

    def __init__(self, dsn: str, tmp_path: Path) -> None:
        self.dsn, self.file, self.workspace = dsn, tmp_path / "rules.json", Id(str(uuid4()))
        asyncio.run(create_workspace(dsn, self.workspace, "Shop", owners=("anna", "borys")))

    def crm(self, command: str, exit_code: int = 0) -> Any:
        done = CliRunner().invoke(app, [*command.split(), "--workspace", self.workspace])
        assert done.exit_code == exit_code, done.output
        return done

    def apply(self, content: Any, more: str = "", exit_code: int = 0) -> Any:
        self.file.write_text(json.dumps(content))
        return self.crm(f"rules apply {self.file} {more}", exit_code)

    def shown(self) -> Any:
        return json.loads(self.crm("rules show --json").stdout)

    def events(self) -> list[Any]:
        return [e for e in asyncio.run(self.journal()) if isinstance(e, AssignmentRulesSet | PipelineChanged)]

    async def journal(self) -> list[Event]:
        async with await open_connection(self.dsn) as conn:
            found = await conn.execute(f"SELECT o.id, packed FROM {SLICES} ORDER BY o.id, partition")
            every = [decode(p[-1]) for _, records in await found.fetchall() for p in msgspec.msgpack.decode(records)]
        return [event for event in every if event.meta.workspace == self.workspace]


@pytest.fixture
def session(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    return Session(database_url, tmp_path)


def test_rules_are_shown_as_the_file_that_puts_them_into_force(session: Session) -> None:
    shown = session.shown()
    assert (shown["rules"][0]["owners"], shown["stages"]) == (
        ["anna", "borys"],
        ["new", "in_progress", "part_paid", "paid"],
    )
    same = session.apply(shown)
    assert "All of it is in force already, rules version 1. Nothing was changed." in same.stdout
    assert len(session.events()) == 1


def test_a_dry_run_shows_the_difference_and_changes_nothing(session: Session) -> None:
    before = session.shown()
    tried = {"rules": [FORMS, EVERYBODY], "stages": ["new", "offer", "in_progress", "part_paid", "paid"]}
    dry = session.apply(tried, "--dry-run")
    assert dry.stdout.splitlines() == [
        "Rules: version 1 → 2, the first that fits decides.",
        "+ forms: olha",
        "  everybody in turn: anna, borys",
        "Stages: new, in_progress, part_paid, paid → new, offer, in_progress, part_paid, paid",
    ]
    assert "Without --dry-run this comes into force." in dry.stderr
    assert (session.shown(), len(session.events())) == (before, 1)
    done = session.apply(tried)
    assert (done.stdout, "In force from now on." in done.stderr) == (dry.stdout, True)
    assert session.shown()["rules"][0]["owners"] == ["olha"]
    kinds = [type(event) for event in session.events()]
    assert kinds == [AssignmentRulesSet, PipelineChanged, AssignmentRulesSet]


def test_of_a_file_that_is_refused_nothing_comes_into_force(session: Session) -> None:
    """The stages alone would have been fine: they are not set either."""
    before = session.shown()
    twice = session.apply({"rules": [FORMS, FORMS], "stages": ["new", "part_paid", "paid"]}, exit_code=1)
    assert "There are two rules 'forms'. Nothing was changed" in twice.stderr
    stale = session.apply(
        {"rules": [FORMS], "stages": ["new", "part_paid", "paid"]}, "--expected-version 7", exit_code=1
    )
    assert "The rules are at version 1 now, and you have read 7." in stale.stderr
    odd = session.apply({"rules": [{**FORMS, "pick": "any"}]}, exit_code=1)
    assert "has the pick 'any'. Choose one of round_robin, least_open, first. Nothing was changed." in odd.stderr
    assert (session.shown(), len(session.events())) == (before, 1)


@pytest.mark.parametrize("command", ["connect form", "token create", "rules show"])
def test_a_workspace_that_does_not_exist_gets_nothing(session: Session, command: str) -> None:
    """A connection of a mistyped workspace was made, and quarantined everything that it received."""
    session.workspace = Id(str(uuid4()))
    refused = session.crm(command, exit_code=1)
    assert f"There is no workspace {session.workspace}. Nothing was changed." in refused.stderr


def test_salespeople_at_the_command_line(session: Session) -> None:
    assert "any text can be one" in session.crm("owner list").stdout
    added = json.loads(session.crm("owner add olha --name Olha --phone 0671234567 --json").stdout)
    assert (added["key"], added["phone"], added["version"]) == ("olha", "+380671234567", 1)
    session.crm("owner add borys")
    assert (
        "The rule 'all': There is no owner 'taras'"
        in session.apply({"rules": [{"name": "all", "owners": ["taras"]}]}, exit_code=1).stderr
    )
    assert "borys (borys) gets deals by 'everybody in turn'" in session.crm("owner retire borys", 1).stderr
    session.apply({"rules": [{"name": "all", "owners": ["olha"]}]})
    session.crm("owner change olha --name Olena --extension 101")
    assert session.crm("owner retire borys").stdout == "borys is retired.\n"
    found = json.loads(session.crm("owner list --json").stdout)
    assert [(owner["key"], owner.get("active", True)) for owner in found] == [("olha", True), ("borys", False)]
    assert (found[0]["name"], found[0]["phone"], found[0]["extension"]) == ("Olena", "+380671234567", "101")
    assert "cannot be read as a telephone number" in session.crm("owner change olha --phone 12", 1).stderr


def test_stage_rules_are_set_with_the_file_and_switched_by_name(session: Session) -> None:
    call = {"name": "call a lead", "stage": "new", "task": {"title": "Call {contact_name}", "due_hours": 1}}
    offer = {"name": "offer", "stage": "offer", "message": {"text": "{deal_number}"}}
    stages = ["new", "offer", "in_progress", "part_paid", "paid"]
    done = session.apply({"stages": stages, "stage_rules": [call, offer]})
    assert done.stdout.splitlines() == [
        "Stages: new, in_progress, part_paid, paid → new, offer, in_progress, part_paid, paid",
        "+ stage rule call a lead: new: task",
        "+ stage rule offer: offer: message",
    ]
    shown = session.shown()
    assert [rule["name"] for rule in shown["stage_rules"]] == ["call a lead", "offer"]
    assert "All of it is in force already" in session.apply(shown).stdout
    session.crm("rules off offer")
    assert session.crm("rules off offer", exit_code=1).output.count("It is so already. Nothing was changed.") == 1
    listed = json.loads(session.crm("rules list --json").stdout)
    assert [(rule["name"], rule["enabled"], rule["version"]) for rule in listed] == [
        ("call a lead", True, 1),
        ("offer", False, 2),
    ]


def test_a_stage_goes_with_the_rule_that_named_it_and_not_without(session: Session) -> None:
    stages = ["new", "in_progress", "part_paid", "paid"]
    offer = {"name": "offer", "stage": "offer", "task": {"title": "Write"}}
    session.apply({"stages": ["new", "offer", *stages[1:]], "stage_rules": [offer]})
    refused = session.apply({"stages": stages}, exit_code=1)
    assert "Stage rules name the stage 'offer': 'offer'. Nothing was changed." in refused.output.replace("\n", " ")
    done = session.apply({"stages": stages, "stage_rules": [offer | {"stage": "new"}]})
    assert done.stdout.splitlines()[-1] == "~ stage rule offer: new: task"
    gone = session.apply({"stage_rules": []})
    assert gone.stdout.splitlines() == ["- stage rule offer"]


def test_a_wrong_stage_rule_sets_nothing_of_the_file(session: Session) -> None:
    before = session.shown()
    wrong = {"name": "x", "stage": "new", "task": {"title": "Call {name}"}}
    refused = session.apply({"rules": [FORMS], "stage_rules": [wrong]}, exit_code=1)
    assert "There is no variable {name}; there are {contact_name}," in refused.output.replace("\n", " ")
    assert session.shown() == before
