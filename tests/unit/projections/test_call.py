"""The reports of a call arrive in pieces and in any order."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.asof import row_as_of
from crm.events import CallOpened, CallUpdated
from crm.moments import Clock
from crm.scalars import Micros
from crm.shared import Phone
from projections.call import PHASES, CallRow, call, fields_of
from projections.call_legs import SECOND
from tests.support.projection_events import CALL, NOON, OLENA, meta, row_of

OPENED = CallOpened(
    meta("0"), CALL, OLENA, "c-1", "in", Phone("067 123 45 67", "+380671234567", "12"), "+380441112233", True
)


def update(phase: str, at: int = 0, **fields: Any) -> CallUpdated:
    return CallUpdated(meta(phase, at), CALL, OLENA, phase, **fields)


def completed(phase: str, at: int, recording: str = "https://record/1") -> CallRow:
    return CallRow(
        CALL, OLENA, "c-1", "in", "+380671234567", "067 123 45 67", "12", "+380441112233", True, phase, "taras", 4, 61,
        "answered", recording, NOON, Micros(NOON + at), created_at=NOON,
    )  # fmt: skip


def plain(*events: CallOpened | CallUpdated) -> CallRow:
    """The row without its note of which report said what."""
    row: CallRow = replace(row_of(call, *events), weights=())
    return row


def test_the_reports_of_a_call_complete_one_row_in_any_order() -> None:
    reports = (
        update("ringing", 1, employee=""),
        update("answered", 2, employee="taras", wait_s=4),
        update("hung_up", 3, disposition="answered"),
        update(
            "completed", 4, employee="taras", wait_s=4, talk_s=61, disposition="answered", recording="https://record/1"
        ),
    )
    assert {plain(OPENED, *order) for order in permutations(reports)} == {completed("completed", 4)}


def test_what_a_later_report_lacks_is_kept() -> None:
    full = update("answered", 1, employee="taras", wait_s=4, talk_s=61, disposition="answered", recording="r")
    assert plain(OPENED, full, update("completed", 2)) == completed("completed", 2, "r")


def test_an_earlier_phase_that_comes_late_fills_gaps_and_changes_nothing_else() -> None:
    full = update("completed", 2, employee="taras", wait_s=4, talk_s=61, disposition="answered")
    late = update("answered", 1, employee="petro", wait_s=9, recording="r", started_at=Micros(NOON + 7))
    assert plain(OPENED, full, late) == completed("completed", 2, "r")


def test_a_call_without_a_reported_phase_does_not_ring() -> None:
    assert row_of(call, OPENED).phase == "opened"
    assert row_of(call, OPENED, update("ringing")).phase == "ringing"


def test_a_phase_that_nobody_knows_changes_no_phase() -> None:
    assert row_of(call, OPENED, update("ringing"), update("parked", employee="taras")).phase == "ringing"


@settings(deadline=None)
@given(st.lists(st.sampled_from(PHASES), min_size=1))
def test_the_most_advanced_phase_wins(phases: list[str]) -> None:
    row = row_of(call, OPENED, *(update(phase) for phase in phases))
    assert row.phase == max(phases, key=PHASES.index)


NUMBER = Phone("067 123 45 67", "+380671234567", "12")
NAMELESS = CallOpened(meta("0", 3), CALL, OLENA, "c-1", "", Phone("", ""), "", False)


def test_what_the_first_report_did_not_say_comes_with_a_later_one() -> None:
    """A call that began with its end stayed without number, direction and line, whatever came later."""
    ring = update("ringing", 1, call="c-1", direction="in", phone=NUMBER, line="044", known=True)
    row = row_of(call, NAMELESS, update("hung_up", 3, call="c-1", disposition="no_answer"), ring)
    assert (row.phone, row.phone_text, row.extension) == ("+380671234567", "067 123 45 67", "12")
    assert (row.direction, row.line, row.known) == ("in", "044", True)
    assert (row.phase, row.disposition) == ("hung_up", "no_answer")
    assert (row.started_at, row.touched_at) == (NOON + 1, NOON + 3)


def test_a_number_outweighs_a_text_that_is_none_whatever_the_phase() -> None:
    hidden = update("completed", 4, call="c-1", phone=Phone("anonymous", ""))
    ring = update("ringing", 1, call="c-1", phone=NUMBER)
    for order in ((hidden, ring), (ring, hidden)):
        assert row_of(call, NAMELESS, *order).phone == "+380671234567"


def test_as_of_a_moment_before_the_first_report_happened_any_report_begins_the_row() -> None:
    """The end came first, so as of the ring the call was not there."""
    ring = update("ringing", 1, call="c-1", direction="in", phone=NUMBER, line="044")
    row = row_as_of(call, [NAMELESS, update("hung_up", 3, call="c-1"), ring], Micros(NOON + 2), Clock.OCCURRED)
    assert (row.call, row.phase, row.phone, row.touched_at) == ("c-1", "ringing", "+380671234567", NOON + 1)
    assert row_of(call, update("ringing", 1)) is None, "an older event does not say what call it is about"


REPORTS = st.builds(
    lambda phase, at, **said: update(phase, at, call="c-1", **said),
    st.sampled_from((*PHASES[1:], "parked")),
    st.integers(0, 9),
    direction=st.sampled_from(("", "in")),
    phone=st.sampled_from((None, Phone("anonymous", ""), NUMBER)),
    line=st.sampled_from(("", "044", "067")),
    employee=st.sampled_from(("", "901", "902")),
    wait_s=st.none() | st.integers(0, 3),
    talk_s=st.none() | st.integers(0, 3),
    disposition=st.sampled_from(("", "answered", "busy")),
    known=st.booleans(),
)


@settings(deadline=None)
@given(reports=st.lists(REPORTS, max_size=6, unique_by=lambda r: (r.phase, r.meta.occurred_at)), random=st.randoms())
def test_any_order_of_reports_ends_in_the_same_row(reports: list[CallUpdated], random: Any) -> None:
    shuffled = random.sample(reports, len(reports))
    assert row_of(call, NAMELESS, *shuffled) == row_of(call, NAMELESS, *reports)


def leg(name: str, at: int, /, **said: Any) -> CallUpdated:
    """A leg that ended at a second after noon."""
    return update("completed", at * SECOND, call="c-1", leg=name, **said)


def begin(second: int) -> Micros:
    return Micros(NOON + second * SECOND)


RING_ALL = (
    leg("1", 10, employee="901", started_at=begin(0), wait_s=10, talk_s=0, disposition="no_answer"),
    leg("2", 70, employee="902", started_at=begin(0), wait_s=10, talk_s=60, disposition="answered", recording="r/2"),
)
ANSWERED = {"disposition": "answered"}
TRANSFERRED = (
    leg("1", 30, direction="in", line="044", employee="901", started_at=begin(0), wait_s=10, talk_s=20, **ANSWERED),
    leg("2", 95, employee="902", started_at=begin(30), wait_s=5, talk_s=60, **ANSWERED),
    leg("3", 40, direction="out", line="067", employee="903", started_at=begin(20), wait_s=2, talk_s=18, **ANSWERED),
)


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        (RING_ALL, ("", "", "902", 10, 60, "answered", "r/2")),
        (RING_ALL[:1], ("", "", "901", 10, 0, "no_answer", "")),
        # 10 to 30, 22 to 40 and 35 to 95: 85 seconds in which somebody talked
        (TRANSFERRED, ("in", "044", "902", 10, 85, "answered", "")),
    ],
)
def test_the_legs_of_a_call_are_one_call(legs: tuple[CallUpdated, ...], said: tuple[object, ...]) -> None:
    """The last report decided: a call that 902 took was one without an answer when 901 reported later."""
    for order in permutations(legs):
        row = row_of(call, NAMELESS, *order)
        assert fields_of(row) == said
        assert [json.loads(text)["leg"] for text in row.legs] == sorted(
            (one.leg for one in legs), key=lambda name: (name == "2" and legs is TRANSFERRED, name)
        )


def test_what_its_legs_say_outweighs_a_report_of_the_whole() -> None:
    """An exchange that answers by itself reports a call as answered that nobody took."""
    whole = update("completed", 70 * SECOND, call="c-1", talk_s=70, disposition="answered", line="044")
    for order in ((whole, RING_ALL[0]), (RING_ALL[0], whole)):
        row = row_of(call, NAMELESS, *order)
        assert (row.talk_s, row.disposition, row.employee, row.line) == (0, "no_answer", "901", "044")


LEGS = st.builds(
    lambda phase, at, **said: update(phase, at * SECOND, call="c-1", **said),
    st.sampled_from((*PHASES[1:], "recorded")),
    st.integers(0, 9),
    leg=st.sampled_from(("", "a", "b", "c")),
    direction=st.sampled_from(("", "in", "out")),
    line=st.sampled_from(("", "044", "067")),
    employee=st.sampled_from(("", "901", "902")),
    started_at=st.none() | st.integers(0, 9).map(begin),
    wait_s=st.none() | st.integers(0, 3),
    talk_s=st.none() | st.integers(0, 3),
    disposition=st.sampled_from(("", "answered", "busy", "parked")),
    recording=st.sampled_from(("", "r/1", "r/2")),
)


@settings(deadline=None)
@given(reports=st.lists(LEGS, max_size=7), random=st.randoms(use_true_random=False))
def test_any_order_of_legs_ends_in_the_same_row(reports: list[CallUpdated], random: Any) -> None:
    shuffled = random.sample(reports, len(reports))
    assert row_of(call, NAMELESS, *shuffled) == row_of(call, NAMELESS, *reports)
    twice = [*reports, *shuffled]
    assert row_of(call, NAMELESS, *twice) == row_of(call, NAMELESS, *reports)
