"""What waits for a subscriber and how far its cursor stands: no cut loses a change, and none is told twice."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import ApiError, BadCursor
from api.live.positions import BEGINNING, Places
from api.live.subscriptions import subscriber as module
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.recent import Recent
from api.live.subscriptions.resume_cursor import Standing, covers, moved, standing
from api.live.subscriptions.subscriber import Subscriber
from projections import PROJECTIONS

SHOP = "11111111-1111-4111-8111-111111111111"
DEAL = Feed(PROJECTIONS["deal"], "Deals.")


class Client:
    """Takes everything at once."""

    busy = False

    def __init__(self) -> None:
        self.failed: list[ApiError] = []

    def check(self) -> None: ...
    def tell(self, body: bytes, cursor: str) -> None: ...

    def fail(self, error: ApiError) -> None:
        self.failed.append(error)


def new(key: str | None = None, at: Places = BEGINNING) -> Subscriber:
    found = Subscriber(DEAL, SHOP, key, Client(), lambda _: None)
    found.standing = Standing(at)
    return found


def places(*first: int) -> Places:
    return (*first, *BEGINNING[len(first) :])


Changes = Sequence[tuple[int, list[str]]]  # of each transaction: its partition, and the rows that it changed
CHANGES = st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from("abcd"), min_size=1, unique=True)), max_size=8)


@settings(deadline=None, max_examples=300)
@given(changes=CHANGES, cut=st.integers(0, 20), heard=st.integers(0, 8))
def test_whatever_the_cut_the_last_state_of_each_row_is_told_and_nothing_twice(
    changes: Changes, cut: int, heard: int
) -> None:
    """Rows are read as of all transactions; the listener had heard of `heard` of them when the client was cut off
    after `cut` messages. The second subscription begins with the cursor of the last."""
    ats, at = [], BEGINNING
    for partition, _ in changes:
        at = moved(at, {partition: at[partition] + 1})
        ats.append({partition: at[partition]})
    seen = at
    before = BEGINNING
    for told in ats[:heard]:
        before = moved(before, told)
    first = new()
    for (_, keys), where in list(zip(changes, ats, strict=True))[:heard]:
        for key in keys:
            first.take(key, where)
    known: list[str] = []
    cursor = first.standing
    for key in first.next(100, before):
        first.passed(key, seen)
        if len(known) < cut:
            known.append(key)
            cursor = first.standing
    again = standing(cursor.cursor(SHOP, "deal"), SHOP, "deal")
    assert again == cursor
    second = new(at=BEGINNING)
    second.standing = again
    for (_, keys), where in zip(changes, ats, strict=True):
        for key in keys:
            second.take(key, where)
    rest = second.next(100, seen)
    changed_later = {key for _, keys in changes[heard:] for key in keys}
    assert set(known) | set(rest) == {key for _, keys in changes for key in keys}
    assert set(known) & set(rest) <= changed_later


def test_a_change_that_the_row_held_already_when_it_was_told_is_not_told_again() -> None:
    one = new("a")
    one.take("a", {0: 1})
    assert one.next(10, places(1)) == ["a"]
    one.passed("a", places(3))
    one.take("a", {0: 3})
    assert not one.due
    one.take("a", {0: 4})
    assert one.next(10, places(4)) == ["a"]


def test_while_it_is_looked_up_what_was_missed_the_cursor_stays() -> None:
    every = new(at=places(1))
    every.behind = 1
    every.take("b", {0: 9})
    assert every.next(10, places(9)) == ["b"]
    every.passed("b", places(9))
    assert every.standing == Standing(places(1))
    assert every.quiet(places(9)) is None


def test_more_than_may_wait_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 2)
    every = new()
    for key in "abc":
        every.take(key, {0: 1})
    client: Any = every.client
    assert [error.code for error in client.failed] == ["SLOW_SUBSCRIBER"]


def test_a_position_names_every_partition() -> None:
    text = ",".join(f"{p}:{p + 1}" for p in range(12))
    assert standing(text, SHOP, "deal") == Standing(tuple(range(1, 13)))
    for wrong in ("0:1", "0:x", f"{text},12", "0:"):
        with pytest.raises(BadCursor):
            standing(wrong, SHOP, "deal")


def test_what_is_forgotten_is_not_claimed_to_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.subscriptions.recent.KEPT", 2)
    recent = Recent()
    recent.begin({"deal": places(1)})
    recent.add(("deal", SHOP), ["a", "b"], {0: 2})
    assert recent.reaches("deal", Standing(places(1)))
    assert dict(recent.changed(("deal", SHOP), "a", Standing(places(1)))) == {"a": {0: 2}}
    assert dict(recent.changed(("deal", SHOP), None, Standing(places(2)))) == {}
    recent.add(("deal", "other"), ["c"], {1: 5})
    assert not recent.reaches("deal", Standing(places(1)))
    assert recent.reaches("deal", Standing(places(2, 5)))
    assert covers(places(2, 5), {1: 5}) and not covers(places(2, 4), {1: 5})
