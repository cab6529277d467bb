"""The harness can fail: bugs that lose and that double are planted into real roles, and the laws see each."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.chaos.laws import Verdict
from tests.support.servers import IN_CONTAINERS

HOUSE = Path(__file__).parent.parent.parent
FACTS = 3000
PATIENCE = 480  # seconds for a whole run

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")


def judged(data: Path, *words: str) -> Verdict:
    """What the laws say of a stack of its own in which some roles are other modules."""
    command = [sys.executable, "-m", "tests.chaos.harmed", str(data), str(FACTS), *words]
    run = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr[-3000:]
    return msgspec.json.decode(run.stdout, type=Verdict)


def test_a_checkpoint_that_is_committed_before_the_effect_loses(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "decide=tests.support.planted.hasty_decide")
    assert verdict.acked == FACTS
    assert verdict.lost > 0
    assert (verdict.effects, verdict.duplicated) == (FACTS - verdict.lost, 0)
    assert verdict.broken[0].startswith(f"{verdict.lost} acknowledged facts have no effect in the journal: ")


def test_a_fact_that_is_not_looked_for_is_counted_twice(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "decide=tests.support.planted.forgetful_decide")
    assert (verdict.acked, verdict.lost) == (FACTS, 0)
    assert verdict.duplicated > 0
    assert verdict.effects == FACTS + verdict.duplicated
    assert "acknowledged facts have more than one effect" in verdict.broken[0]


def test_a_position_that_is_not_checked_counts_a_repeated_suffix_twice(tmp_path: Path) -> None:
    """The journal itself is whole: its repeats are what a relay may do. The rows that count are too high."""
    verdict = judged(tmp_path, "project=tests.support.planted.unchecked_project", "zombie")
    assert (verdict.acked, verdict.lost, verdict.duplicated) == (FACTS, 0, 0)
    assert any("rows of conversation are not what the journal gives" in said for said in verdict.broken)


def test_who_checks_positions_counts_a_repeated_suffix_once(tmp_path: Path) -> None:
    """The same zombie, and nothing planted: no law is broken."""
    assert judged(tmp_path, "zombie") == Verdict(FACTS, FACTS, 0, 0, [])
