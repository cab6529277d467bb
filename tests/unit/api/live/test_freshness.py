"""What is told of freshness: the least of what is read, and for how long it may be behind."""

import asyncio

import pytest

from api.errors import BadInput
from api.live.freshness import Freshness, Look, read, written

DEAL, CALL = "deal", "call"
NOTHING = (0,) * 12


def at(partition: int, next: int) -> tuple[int, ...]:
    return (*NOTHING[:partition], next, *NOTHING[partition + 1 :])


def test_a_position_is_the_least_of_the_projections_that_are_read() -> None:
    async def run() -> None:
        freshness = Freshness()
        freshness.take(Look(at(3, 9), {DEAL: at(3, 9), CALL: at(3, 7)}), 1e12)
        assert freshness.of(frozenset({"deal"})).position == written(at(3, 9))
        assert freshness.of(frozenset({"deal", "call"})).position == written(at(3, 7))
        assert freshness.of(frozenset()).position == written(NOTHING)  # the others have not begun

    asyncio.run(run())


def test_the_age_is_since_it_held_all_there_was() -> None:
    """It need not have caught up at any one look: under load it never does."""

    async def run() -> None:
        freshness, begun = Freshness(), max(Freshness().complete_at.values()) + 1
        for second in range(4):
            freshness.take(Look(at(0, second), {DEAL: at(0, max(0, second - 1))}), begun + second)
        assert freshness.of(frozenset({"deal"})).at == begun + 2

    asyncio.run(run())


def test_a_position_is_read_as_a_mutation_gives_it() -> None:
    assert read("3:45,11:12") == {3: 45, 11: 12}
    assert read(written(at(3, 9)))[3] == 9


@pytest.mark.parametrize(
    "text", ["", "3", "3:", ":4", "12:1", "-1:1", "3:x", "3:1;4:2", "٣:1", "1" * 5000 + ":1", "3:" + "9" * 19]
)
def test_anything_else_is_no_position(text: str) -> None:
    with pytest.raises(BadInput, match="This is no position"):
        read(text)
