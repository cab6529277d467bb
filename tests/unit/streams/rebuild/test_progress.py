"""What somebody at a terminal sees of a rebuild: rate, time left and lag; at Ctrl-C what has become of it."""

import os
import pty
import re
import subprocess
import sys

import pytest

from services.cli.rebuild_progress import SERVED, STOPPED
from tests.support.tools import ROOT

PROGRAM = """
import os, signal, sys
from services.cli.commands.rebuild import progress
signal.signal(signal.SIGINT, signal.default_int_handler)  # those who run the tests in the background ignore it
with progress() as listener:
    listener.step("prepare")
    listener.begin(4000)
    listener.advance(1000)
    listener.advance(1000)
    for step in {steps}:
        listener.step(step)
        listener.lag(17)
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
        (["follow"], STOPPED),
        (["serve"], SERVED),
    ],
)
def test_rate_time_left_and_lag_and_at_ctrl_c_what_is_served(steps: list[str], said: str) -> None:
    code, output = seen(steps, "os.kill(os.getpid(), signal.SIGINT)")
    assert (code, said in output) == (130, True), output
    assert re.search(rf"{steps[0]} .*2000/4000 events, {SPEED}", output), output
