"""A journal cursor gives its positions back exactly, in its own workspace only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import BadCursor
from api.live.positions import BEGINNING, positions_of, seal

SHOP, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
POSITIONS = tuple(range(1, 13))
GOOD = seal(POSITIONS, SHOP)


@settings(deadline=None)
@given(st.tuples(*[st.integers(0, 2**63)] * 12))
def test_every_place_comes_back(at: tuple[int, ...]) -> None:
    assert positions_of(seal(at, SHOP), SHOP) == at


def test_zero_is_the_beginning() -> None:
    assert positions_of("0", SHOP) == BEGINNING == (0,) * 12


@pytest.mark.parametrize("text", ["", "1", "é", "AAAA", "a", "\0", GOOD[:-1], GOOD[1:], f"{GOOD}AAAA", f"X{GOOD[1:]}"])
def test_an_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="This is not a valid cursor"):
        positions_of(text, SHOP)


def test_a_cursor_is_valid_in_its_own_workspace_only() -> None:
    with pytest.raises(BadCursor, match="belongs to another workspace"):
        positions_of(GOOD, OTHER)
