"""The reported freshness: the lowest position of what is read, and how long it may lag."""

import asyncio

import pytest

from api.errors import BadInput
from api.live.freshness import Freshness, Poll, parse_position, position_text

DEAL, CALL = "deal", "call"
ZERO = (0,) * 12


def at(partition: int, next: int) -> tuple[int, ...]:
    return (*ZERO[:partition], next, *ZERO[partition + 1 :])


def test_a_position_is_the_least_of_the_projections_that_are_read() -> None:
    async def run() -> None:
        freshness = Freshness()
        freshness.take(Poll(at(3, 9), {DEAL: at(3, 9), CALL: at(3, 7)}), 1e12)
        assert freshness.of(frozenset({"deal"})).position == position_text(at(3, 9))
        assert freshness.of(frozenset({"deal", "call"})).position == position_text(at(3, 7))
        assert freshness.of(frozenset()).position == position_text(ZERO)  # the others have not begun

    asyncio.run(run())


def test_the_lag_counts_from_when_the_projection_was_complete() -> None:
    """It need not have caught up at any one look: under load it never does."""

    async def run() -> None:
        freshness, begin = Freshness(), max(Freshness().complete_at.values()) + 1
        for second in range(4):
            freshness.take(Poll(at(0, second), {DEAL: at(0, max(0, second - 1))}), begin + second)
        assert freshness.of(frozenset({"deal"})).at == begin + 2

    asyncio.run(run())


def test_a_position_is_read_as_a_mutation_gives_it() -> None:
    assert parse_position("3:45,11:12") == {3: 45, 11: 12}
    assert parse_position(position_text(at(3, 9)))[3] == 9


@pytest.mark.parametrize(
    "text", ["", "3", "3:", ":4", "12:1", "-1:1", "3:x", "3:1;4:2", "٣:1", "1" * 5000 + ":1", "3:" + "9" * 19]
)
def test_anything_else_is_not_a_position(text: str) -> None:
    with pytest.raises(BadInput, match="This is not a position"):
        parse_position(text)
