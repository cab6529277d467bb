"""A journal cursor gives its places back exactly, in its own workspace only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import BadCursor
from api.live.positions import BEGINNING, cursor, places

SHOP, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
PLACES = tuple(range(1, 13))
GOOD = cursor(PLACES, SHOP)


@settings(deadline=None)
@given(st.tuples(*[st.integers(0, 2**63)] * 12))
def test_every_place_comes_back(at: tuple[int, ...]) -> None:
    assert places(cursor(at, SHOP), SHOP) == at


def test_zero_is_the_beginning() -> None:
    assert places("0", SHOP) == BEGINNING == (0,) * 12


@pytest.mark.parametrize("text", ["", "1", "é", "AAAA", "a", "\0", GOOD[:-1], GOOD[1:], f"{GOOD}AAAA", f"X{GOOD[1:]}"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="This is no cursor"):
        places(text, SHOP)


def test_a_cursor_is_good_for_its_own_workspace_only() -> None:
    with pytest.raises(BadCursor, match="belongs to another workspace"):
        places(GOOD, OTHER)
