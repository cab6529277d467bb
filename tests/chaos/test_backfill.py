"""A backfill gives what live traffic gives: over HTTP, straight to Kafka, and left by an earlier release on its topics;
with two replicas of decide, one of which dies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import ROOT
from tests.support.timeouts import TIMEOUT

PAIRS = 4_000

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="the harness kills roles of embedded servers")


def test_each_pair_gives_one_deal_whose_source_is_its_form(tmp_path: Path) -> None:
    """4,000 pairs gave 6,761 deals: calls were decided before the forms that they followed, and opened deals too."""
    command = [sys.executable, "-m", "tests.chaos.backfill", str(tmp_path), str(PAIRS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * TIMEOUT)
    assert done.returncode == 0, done.stderr[-3000:]
    runs = json.loads(done.stdout)
    assert [run["route"] for run in runs] == ["old topics", "http", "kafka"]
    for run in runs:
        assert (run["waited"], run["behind"]) == (2 * PAIRS, [])
        assert (run["deals"], run["contacts"]) == ({"form": PAIRS}, PAIRS)
