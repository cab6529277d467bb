"""Every command and every file of rules in the pages on rules and `whatif` is one that `crm` takes."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from crm.state import Workspace, known
from crm.state.entities import ONLY
from services.cli.commands import owner, rules, token, whatif, workspace
from services.operations.whatif.rules import read_rules
from services.operations.whatif.stage_rules import on_trial
from tests.support.scenarios import given
from tests.support.tools import ROOT

PAGES = [(ROOT / "docs" / page).read_text("utf-8") for page in ("workspace.md", "whatif.md", "rules.md")]
GROUPS = {"owner": owner, "rules": rules, "token": token, "whatif": whatif, "workspace": workspace}
COMMANDS = [line for page in PAGES for line in re.findall(r"^crm (.+)$", page, re.MULTILINE)]
FILES = [text for page in PAGES for text in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
NOT_UNDERSTOOD: Any = typer.BadParameter.__bases__[0]  # click's UsageError, wherever typer takes click from


def understood(line: str) -> bool:
    group_name, name, *arguments = shlex.split(line.partition(" > ")[0], comments=True)
    group = typer.main.get_group(GROUPS[group_name].app)
    command = group.get_command(typer.Context(group), name)
    try:
        return command is not None and bool(command.make_context(name, arguments))
    except NOT_UNDERSTOOD:
        return False


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_pages_is_understood(line: str) -> None:
    assert understood(line)


def test_a_command_that_is_not_there_is_seen() -> None:
    assert [understood(line) for line in ("rules set x", "rules apply", "whatif run r.json --clock now")] == [False] * 3
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("text", FILES)
def test_a_file_of_the_pages_is_a_file_of_rules(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(text)
    found = read_rules(file)
    assert found.rules or on_trial(found.stage_rules or (), known(given().state, Workspace, ONLY))


def test_there_is_a_file_on_each_page() -> None:
    assert len(FILES) == 3
