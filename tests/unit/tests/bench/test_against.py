"""A benchmark on two revisions in turns: what is said of their runs."""

import pytest

from tests.bench.against import built, side_by_side, whole


def test_a_ratio_is_of_neighbours() -> None:
    """The second pair ran while something else kept the machine busy: its ratio is that of the others."""
    before = [{"decide: Python": 100.0}, {"decide: Python": 300.0}, {"decide: Python": 110.0}]
    after = [{"decide: Python": 80.0}, {"decide: Python": 240.0}, {"decide: Python": 88.0, "new": 2.0}]
    assert side_by_side(before, after) == {"decide: Python": {"before": 110.0, "after": 88.0, "ratio": 0.8}}


def test_a_part_that_one_revision_lacks_has_no_ratio() -> None:
    assert side_by_side([{"old": 4.0}], [{"new": 2.0}]) == {
        "old": {"before": 4.0, "after": 0.0, "ratio": 0.0},
        "new": {"before": 0.0, "after": 2.0},
    }


def test_a_run_is_reported_by_its_sums() -> None:
    assert whole({"mixture": {"together": 9.0, "decide, rules": 3.0}}) == {"mixture together": 9.0}


def test_a_revision_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no revision 'nowhere'"), built("nowhere", []):
        raise AssertionError("nothing was built")
