"""Reading an event without decoding it gives the same as decoding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.live.journal import JournalGap, take_entries
from api.live.journal_entry import JournalEntry, workspace_of
from crm.contract.codec import encode
from crm.errors import Malformed
from crm.events import AssignmentRulesSet
from crm.moments import nearest
from crm.scalars import Id, Micros
from tests.support.records import Record
from tests.support.scenarios import SHOP, meta


def event(workspace: str) -> bytes:
    return encode(AssignmentRulesSet(meta("rules", workspace=Id(workspace)), 1, ()))


@settings(deadline=None)
@given(st.uuids().map(str) | st.text(max_size=80))
def test_the_workspace_is_found_whatever_its_form(workspace: str) -> None:
    assert workspace_of(event(workspace)) == workspace.encode()


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0", b"no event", event(SHOP)[:40]])
def test_a_record_that_is_not_an_event_is_malformed(value: bytes) -> None:
    with pytest.raises(Malformed):
        workspace_of(value)


def test_a_moment_past_the_calendar_is_its_nearest() -> None:
    assert nearest(Micros(1)).isoformat() == "1970-01-01T00:00:00.000001+00:00"
    assert nearest(Micros(2**62)).year == 9999
    assert nearest(Micros(-(2**62))).year == 1


def records(*positions: int) -> list[Record]:
    return [Record(event(SHOP), n, 3, headers=[("position", str(at).encode())]) for n, at in enumerate(positions)]


class Lane:
    """A partition, as the consumer names it."""

    partition = 3


def test_repeats_are_passed_over_and_a_hole_is_not() -> None:
    next = {3: 4}
    found = take_entries({Lane: records(2, 3, 4, 5, 4, 5, 6)}, next, {SHOP.encode()})
    assert [(e.partition, e.position) for e in found[SHOP.encode()]] == [(3, 4), (3, 5), (3, 6)]
    said = {"version": 1, "rules": (), "assignment_rules_id": None}
    assert all(isinstance(e, JournalEntry) and e.data == said for e in found[SHOP.encode()])
    assert next == {3: 7}
    with pytest.raises(JournalGap, match="lacks position 7"):
        take_entries({Lane: records(8)}, next, {SHOP.encode()})
