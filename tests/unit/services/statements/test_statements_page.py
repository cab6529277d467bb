"""docs/statements.md: its commands run as they stand and print what it shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import ROOT

PAGE = (ROOT / "docs" / "statements.md").read_text("utf-8")
SNIPPETS = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_snippets() -> None:
    assert len(SNIPPETS) == 2


@pytest.mark.parametrize(("commands", "printed"), SNIPPETS)
def test_a_snippet_prints_what_the_page_shows(tmp_path: Path, commands: str, printed: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "CRM_DATA": str(tmp_path / "data"), "COLUMNS": "200"}
    made = subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, env=env, capture_output=True, text=True, check=True, timeout=300
    )
    assert [line.rstrip() for line in made.stdout.splitlines()] == printed.splitlines()
    assert made.stderr == ""


def test_every_option_is_on_the_page() -> None:
    """Those that the page leaves out are in `crm statement --help`."""
    from services.cli.commands.statement import statement

    elsewhere = {"files", "url", "data"}
    options = {
        f"--{name.replace('_', '-')}" for name in statement.__annotations__ if name not in {*elsewhere, "return"}
    }
    assert {option for option in options if option not in PAGE} == set()
