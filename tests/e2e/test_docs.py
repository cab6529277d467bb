"""Runs docs/first-ten-minutes.md: every shell block in one shell; compares each answer."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT
from tests.support.timeouts import TIMEOUT

PAGE = (ROOT / "docs" / "first-ten-minutes.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
END = "-- end of a block --"


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {kind for kind, _ in BLOCKS} == {"", "sh", "python", "json", "text"}
    assert [text for kind, text in BLOCKS if kind == ""] == ["make run\n"]


def test_the_first_ten_minutes(stack: RunningStack, tmp_path: Path) -> None:
    stack.empty_quarantine()
    bin = tmp_path / ".venv" / "bin"
    bin.mkdir(parents=True)
    for name, command in {"crm": f"{sys.executable} -m services.cli", "python": sys.executable}.items():
        (bin / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (bin / name).chmod(0o755)
    for name, text in re.findall(r"^# (\w+\.py)\n(.*)", "\0".join(t for k, t in BLOCKS if k == "python"), re.DOTALL):
        (tmp_path / name).write_text(text)
    script = "set -euo pipefail\n" + "".join(f"{text}\necho '{END}'\n" for kind, text in BLOCKS if kind == "sh")
    environment = stack.terminal.environment | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=2 * TIMEOUT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = iter(done.stdout.split(f"{END}\n"))
    said = ""
    for kind, text in BLOCKS:
        if kind == "sh":
            said = next(printed)
        elif kind == "json":
            assert json.loads(said) == json.loads(text)
        elif kind == "text":
            assert said == text
