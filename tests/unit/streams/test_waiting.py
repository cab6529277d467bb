"""What somebody waits for passes what comes in bulk, and neither stops the other."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from streams.runtime import waiting
from streams.runtime.waiting import BITE, ENOUGH, OVERHEAD, SOME, Waiting, rest

BULK, LIVE = "facts", "forms"


class Numbered(NamedTuple):
    """A record of one byte."""

    number: int
    value: bytes = b"1"


class One:
    """A fetch of records that are numbers."""

    def __init__(self, topic: str, *numbers: int) -> None:
        self.topic, self.records = topic, [Numbered(number) for number in numbers]


def waiting_with(*fetches: One) -> Waiting:
    found = Waiting({BULK})
    for fetch in fetches:
        found.add(cast(Any, fetch))
    return found


def taken(found: Waiting) -> tuple[str, list[int]]:
    """Returns of which topics the next transaction is, and its records."""
    fetches: Sequence[Any] = found.take()
    return "+".join(sorted({one.topic for one in fetches})), [
        record.number for one in fetches for record in one.records
    ]


def test_what_is_live_goes_first_and_lets_bulk_have_every_other_turn() -> None:
    found = waiting_with(One(BULK, *range(BITE)), One(BULK, 1), One(LIVE, 7), One(LIVE, 8))
    assert taken(found) == (LIVE, [7, 8])
    found.add(cast(Any, One(LIVE, 9)))
    assert taken(found) == (BULK, [*range(BITE)]), "a bite, and not all"
    assert [taken(found), taken(found)] == [(LIVE, [9]), (BULK, [1])]
    assert not found


def test_bulk_alone_is_taken_in_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    found = waiting_with(*(One(BULK, *range(100)) for _ in range(6)))
    assert len(taken(found)[1]) == ENOUGH
    clock = [0.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: clock[0])
    found = waiting_with(One(LIVE, 1), *(One(BULK, *range(100)) for _ in range(8)))
    assert [len(taken(found)[1]), len(taken(found)[1])] == [1, BITE]
    clock[0] += waiting.RECENTLY
    assert len(taken(found)[1]) == ENOUGH


@pytest.mark.parametrize(("topic", "bound"), [(BULK, "MOST"), (LIVE, "ROOM")])
def test_no_more_is_held_than_there_is_room_for(topic: str, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is live too: a role that catches up with millions of records had taken gigabytes of them."""
    monkeypatch.setattr(waiting, bound, 600 * (1 + OVERHEAD))
    found = waiting_with(One(topic, *range(ENOUGH)), One(topic, *range(99)))
    assert found.has_room
    found.add(cast(Any, One(topic, 1)))
    assert not found.has_room
    taken(found)
    assert found.has_room


def test_only_who_has_much_to_do_rests() -> None:
    def after(records: int, took: float) -> float:
        return rest([cast(Any, One(BULK, *range(records)))], took, pace=0.03)

    assert [after(SOME - 1, 0.01), after(SOME, 0.01), after(ENOUGH - 1, 0.04), after(ENOUGH, 0.01)] == [
        0.0,
        0.03 - 0.01,
        0.0,
        0.0,
    ]


@for_any(st.lists(st.tuples(st.sampled_from((BULK, LIVE, "calls")), st.integers(1, 300)), max_size=40))
def test_each_topic_keeps_its_order_and_nothing_is_lost(given: list[tuple[str, int]]) -> None:
    fetches = [One(topic, *range(n * 1000, n * 1000 + size)) for n, (topic, size) in enumerate(given)]
    found, after = waiting_with(*fetches), list[One]()
    while found:
        after += cast(Any, found.take())
    assert len(after) == len(fetches)
    for topic in {one.topic for one in fetches}:
        assert [one for one in after if one.topic == topic] == [one for one in fetches if one.topic == topic]
