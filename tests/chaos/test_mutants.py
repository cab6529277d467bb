"""Mutation tests of the harness: real roles with bugs that lose or duplicate facts; the invariants catch each."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.chaos.invariants import Verdict
from tests.support.servers import IN_CONTAINERS

ROOT = Path(__file__).parent.parent.parent
FACTS = 1500
PATIENCE = 480  # seconds for a whole run

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")


def judged(data: Path, *words: str) -> Verdict:
    """Checks the invariants of a stack of its own in which some roles are other modules."""
    command = [sys.executable, "-m", "tests.chaos.mutant_run", str(data), str(FACTS), *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr[-3000:]
    return msgspec.json.decode(run.stdout, type=Verdict)


def test_a_checkpoint_that_is_committed_before_the_effect_loses(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "decide=tests.support.mutants.early_checkpoint_decide")
    assert verdict.acked == FACTS
    assert verdict.lost > 0
    assert (verdict.effects, verdict.duplicated) == (FACTS - verdict.lost, 0)
    assert verdict.broken[0].startswith(f"{verdict.lost} acknowledged facts have no effect in the journal: ")


def test_a_fact_that_is_not_looked_for_is_counted_twice(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "decide=tests.support.mutants.no_deduplication_decide")
    assert (verdict.acked, verdict.lost) == (FACTS, 0)
    assert verdict.duplicated > 0
    assert verdict.effects == FACTS + verdict.duplicated
    assert "acknowledged facts have more than one effect" in verdict.broken[0]


def test_a_position_that_is_not_checked_counts_a_repeated_suffix_twice(tmp_path: Path) -> None:
    """The journal is correct, since a relay may repeat records. Rows that count are too high."""
    verdict = judged(tmp_path, "project=tests.support.mutants.unchecked_positions_project", "zombie")
    assert (verdict.acked, verdict.lost, verdict.duplicated) == (FACTS, 0, 0)
    assert any("rows of conversation are not what the journal gives" in said for said in verdict.broken)


def test_who_checks_positions_counts_a_repeated_suffix_once(tmp_path: Path) -> None:
    """The same zombie, and no bug: no invariant is broken."""
    assert judged(tmp_path, "zombie") == Verdict(FACTS, FACTS, 0, 0, [])
