"""A role's clock is wrong by what a file says, its records' too, and right again when the file says so."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.chaos.skewed_clock import POLL_INTERVAL, Skew
from tests.support.tools import ROOT
from tests.test_architecture import modules, numbered

ROLES = ("crm", "streams", "projections", "api", "services/intake")
ASKS = re.compile(r"\b(?:now|utcnow|today)\((?:UTC|timezone|tz)|\bdatetime\.(?:now|utcnow|today)\(").search


def test_the_file_is_read_when_it_changes(tmp_path: Path) -> None:
    file, at = tmp_path / "clock", [0.0]
    skew = Skew(file, lambda: at[0])
    skews = [skew()]
    for text in ("86400", "-86400", "", "0"):
        file.write_text(text)
        skews.append(skew())  # not yet time to look
        at[0] += 2 * POLL_INTERVAL
        skews.append(skew())
    assert skews == [0, 0, 86400, 86400, -86400, -86400, -86400, -86400, 0]


def test_the_product_and_its_records_follow(tmp_path: Path) -> None:
    """aiokafka's C code asks the machine by itself: records once kept the right time while all else was a day ahead."""
    clock = tmp_path / "clock"
    clock.write_text("86400")
    command = [sys.executable, "-m", "tests.chaos.skewed_clock", "tests.support.clock_role"]
    environment = {**os.environ, "CRM_CLOCK_FILE": str(clock)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1 1 1\n"


def test_nobody_asks_datetime_for_the_time() -> None:
    """It asks the machine by itself, so what a role decides by it would escape every test of the clock."""
    assert numbered(ROOT, modules(ROOT, *ROLES), ASKS) == []
    assert ASKS("at = datetime.now(UTC)")
