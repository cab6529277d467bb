"""A cursor gives its place back exactly, and is good for its own list only."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cursors import cursor, position
from api.errors import BadCursor

ORDER, KINDS = ("touched_at", "deal_id"), (datetime, UUID)
PLACE = (datetime(2026, 1, 1, 12, 0, 0, 1, UTC), "22222222-2222-4222-8222-222222222222")


def test_a_place_comes_back_to_the_microsecond() -> None:
    assert position(cursor(ORDER, PLACE), ORDER, KINDS) == (PLACE[0], UUID(PLACE[1]))


@settings(deadline=None)
@given(at=st.datetimes(timezones=st.just(UTC)), step=st.integers(-(2**63), 2**63 - 1), key=st.uuids())
def test_every_place_comes_back(at: datetime, step: int, key: UUID) -> None:
    order = ("at", "step", "entry_id")
    text = cursor(order, (at, step, str(key)))
    assert text.replace("-", "").replace("_", "").isalnum()
    assert position(text, order, (datetime, int, UUID)) == (at, step, key)


@pytest.mark.parametrize("text", ["", "?", "é", "AAAA", "W10", "a", "\0", "bnVsbA", "e30"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="This is no cursor"):
        position(text, ORDER, KINDS)


def test_another_lists_cursor_is_refused() -> None:
    with pytest.raises(BadCursor, match="belongs to another list"):
        position(cursor(("touched_at", "contact_id"), PLACE), ORDER, KINDS)


@pytest.mark.parametrize(
    "values", [(), (PLACE[0],), (*PLACE, 1), (7, PLACE[1]), ("no time", PLACE[1]), (PLACE[0], "x")]
)
def test_a_changed_cursor_is_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(BadCursor, match="was changed on its way"):
        position(cursor(ORDER, values), ORDER, (datetime, UUID))
