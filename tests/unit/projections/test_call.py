"""A call is told in pieces, which come in any order."""

from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.events import CallOpened, CallUpdated
from crm.scalars import Micros
from crm.shared import Phone
from projections.call import PHASES, CallRow, call
from tests.unit.projections.journal import CALL, NOON, OLENA, meta, row_of

OPENED = CallOpened(
    meta("0"), CALL, OLENA, "c-1", "in", Phone("067 123 45 67", "+380671234567", "12"), "+380441112233", True
)


def update(phase: str, at: int = 0, **told: Any) -> CallUpdated:
    return CallUpdated(meta(phase, at), CALL, OLENA, phase, **told)


def completed(phase: str, at: int, recording: str = "https://record/1") -> CallRow:
    return CallRow(
        CALL, OLENA, "c-1", "in", "+380671234567", "067 123 45 67", "12", "+380441112233", True, phase, "taras", 4, 61,
        "answered", recording, NOON, Micros(NOON + at), NOON,
    )  # fmt: skip


def test_the_reports_of_a_call_complete_one_row_in_any_order() -> None:
    reports = (
        update("ringing", 1, employee=""),
        update("answered", 2, employee="taras", wait_s=4),
        update("hung_up", 3, disposition="answered"),
        update(
            "completed", 4, employee="taras", wait_s=4, talk_s=61, disposition="answered", recording="https://record/1"
        ),
    )
    assert {row_of(call, OPENED, *order) for order in permutations(reports)} == {completed("completed", 4)}


def test_what_a_later_report_lacks_is_kept() -> None:
    full = update("answered", 1, employee="taras", wait_s=4, talk_s=61, disposition="answered", recording="r")
    assert row_of(call, OPENED, full, update("completed", 2)) == completed("completed", 2, "r")


def test_an_earlier_phase_that_comes_late_fills_gaps_and_changes_nothing_else() -> None:
    full = update("completed", 2, employee="taras", wait_s=4, talk_s=61, disposition="answered")
    late = update("answered", 1, employee="petro", wait_s=9, recording="r", started_at=Micros(NOON + 7))
    assert row_of(call, OPENED, full, late) == completed("completed", 2, "r")


def test_a_call_that_nobody_has_told_the_phase_of_does_not_ring() -> None:
    assert row_of(call, OPENED).phase == "opened"
    assert row_of(call, OPENED, update("ringing")).phase == "ringing"


def test_a_phase_that_nobody_knows_changes_no_phase() -> None:
    assert row_of(call, OPENED, update("ringing"), update("parked", employee="taras")).phase == "ringing"


@settings(deadline=None)
@given(st.lists(st.sampled_from(PHASES), min_size=1))
def test_the_most_advanced_phase_wins(phases: list[str]) -> None:
    row = row_of(call, OPENED, *(update(phase) for phase in phases))
    assert row.phase == max(phases, key=PHASES.index)
