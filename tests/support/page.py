"""A page of docs/ as a program: its shell blocks are one script, and each printed block is what the script prints."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT
from tests.support.timeouts import TIMEOUT

END = "-- end of a block --"
COMMANDS = {"crm": f"{sys.executable} -m services.cli", "python": sys.executable}


class Page:
    """Blocks of a page, as (language, text): `sh` is run, `json` and `text` are what the block before them printed.

    A `python` block that begins with a comment such as `# ring.py` is a file of that name. In `json` and `text`, `…`
    stands for what differs from run to run: an id, a rate.
    """

    def __init__(self, name: str) -> None:
        text = (ROOT / "docs" / name).read_text("utf-8")
        self.blocks: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)

    def run(self, stack: RunningStack, folder: Path) -> None:
        """Runs the page in a folder that looks like a checkout, and compares what it prints."""
        bin = folder / ".venv" / "bin"
        bin.mkdir(parents=True)
        for name, command in COMMANDS.items():
            (bin / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            (bin / name).chmod(0o755)
        for kind, text in self.blocks:
            if kind == "python" and (named := re.match(r"# (\w+\.py)\b", text)):
                (folder / named[1]).write_text(text)
        shell = [text for kind, text in self.blocks if kind == "sh"]
        script = "set -euo pipefail\n" + "".join(f"{text}\necho '{END}'\n" for text in shell)
        environment = stack.terminal.environment | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=2 * TIMEOUT
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.compare(done.stdout.split(f"{END}\n"))

    def compare(self, printed: list[str]) -> None:
        """Compares each printed block with what the shell block before it printed. Raises AssertionError."""
        rest, said = iter(printed), ""
        for kind, text in self.blocks:
            if kind == "sh":
                said = next(rest)
            elif kind in ("json", "text"):
                assert is_printed(said, text), f"The page says:\n{text}\nIt printed:\n{said}"


def is_printed(said: str, text: str) -> bool:
    """Tells whether this is what the page says: the same text or the same JSON, `…` being anything within a line."""
    if "…" in text:
        return re.fullmatch(".*".join(map(re.escape, text.split("…"))), said) is not None
    try:
        return said == text or bool(json.loads(said) == json.loads(text))
    except ValueError:
        return False
