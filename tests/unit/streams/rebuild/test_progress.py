"""What somebody at a terminal sees of a rebuild: rate, time left and lag; at Ctrl-C what has become of it."""

import os
import pty
import re
import subprocess
import sys

import pytest

from tests.support.tools import ROOT

PROGRAM = """
import os, signal, sys
from services.cli.commands.rebuild import progress
with progress() as told:
    told.step("prepare")
    told.begin(4000)
    told.advance(1000)
    told.advance(1000)
    for step in {steps}:
        told.step(step)
        told.lag(17)
    {end}
"""
SPEED = r"[\d,]+/s, 17 behind, left\s+[\d:-]+"


def seen(steps: list[str], end: str = "pass") -> tuple[int, str]:
    """The exit code, and what a terminal of 200 columns gets."""
    ours, theirs = pty.openpty()
    program = PROGRAM.format(steps=steps, end=end)
    surroundings = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    command = [sys.executable, "-c", f"import typer\ndef main(): {program!r}; exec({program!r})\ntyper.run(main)"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings, cwd=ROOT) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 65536)
            except OSError:  # the last end of the terminal is closed
                break
    os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text.decode())


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["follow"], "Stopped. Nothing was swapped: the rows of before are served on. The next run begins anew."),
        (["serve"], "Stopped, but the new rows are there already: `crm doctor` says whether they are served."),
    ],
)
def test_rate_time_left_and_lag_and_at_ctrl_c_what_is_served(steps: list[str], said: str) -> None:
    code, told = seen(steps, "os.kill(os.getpid(), signal.SIGINT)")
    assert (code, said in told) == (130, True), told
    assert re.search(rf"{steps[0]} .*2000/4000 events, {SPEED}", told), told
