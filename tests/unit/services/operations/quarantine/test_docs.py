"""Every command in docs/quarantine.md is one that the command line takes."""

import re
import shlex
from typing import Any

import pytest
import typer

from services.cli.commands import quarantine
from tests.support.tools import ROOT

PAGE = (ROOT / "docs" / "quarantine.md").read_text()
NOT_UNDERSTOOD: Any = typer.BadParameter.__bases__[0]  # click's UsageError, wherever typer takes click from
COMMANDS = re.findall(r"^crm quarantine (.+)$", PAGE, re.MULTILINE)


def understood(line: str) -> bool:
    name, *arguments = shlex.split(line.partition(" > ")[0])
    group = typer.main.get_group(quarantine.app)
    command = group.get_command(typer.Context(group), name)
    try:
        return command is not None and bool(command.make_context(name, arguments))
    except NOT_UNDERSTOOD:
        return False


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_understood(line: str) -> None:
    assert understood(line)


def test_a_command_that_is_not_there_is_seen() -> None:
    assert [understood(line) for line in ("retry ID", "list --age 2h", "discard ID")] == [False, False, False]
    assert len(COMMANDS) == 13
