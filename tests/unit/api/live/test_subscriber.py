"""The waiting changes and the cursor of a subscriber: a disconnect loses no change and repeats none."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import ApiError, BadCursor
from api.live.positions import BEGINNING, Positions
from api.live.subscriptions import subscriber as module
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.recent import Recent
from api.live.subscriptions.resume_cursor import ResumeCursor, covers, decode, moved
from api.live.subscriptions.subscriber import Subscriber
from projections import PROJECTIONS

SHOP = "11111111-1111-4111-8111-111111111111"
DEAL = Feed(PROJECTIONS["deal"], "Deals.")


class Client:
    """Takes everything at once."""

    busy = False

    def __init__(self) -> None:
        self.failed: list[ApiError] = []

    def check_token(self) -> None: ...
    def send_result(self, body: bytes, cursor: str) -> None: ...

    def fail(self, error: ApiError) -> None:
        self.failed.append(error)


def new(key: str | None = None, at: Positions = BEGINNING) -> Subscriber:
    found = Subscriber(DEAL, SHOP, key, Client(), lambda _: None)
    found.cursor = ResumeCursor(at)
    return found


def places(*first: int) -> Positions:
    return (*first, *BEGINNING[len(first) :])


Changes = Sequence[tuple[int, list[str]]]  # of each transaction: its partition, and the rows that it changed
CHANGES = st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from("abcd"), min_size=1, unique=True)), max_size=8)


@settings(deadline=None, max_examples=300)
@given(changes=CHANGES, cut=st.integers(0, 20), dispatched=st.integers(0, 8))
def test_at_any_disconnect_the_last_state_of_each_row_is_sent_and_nothing_twice(
    changes: Changes, cut: int, dispatched: int
) -> None:
    """Rows are read as of all transactions; the listener had heard of `heard` of them when the client was cut off
    after `cut` messages. The second subscription begins with the cursor of the last."""
    ats, at = [], BEGINNING
    for partition, _ in changes:
        at = moved(at, {partition: at[partition] + 1})
        ats.append({partition: at[partition]})
    seen = at
    before = BEGINNING
    for positions in ats[:dispatched]:
        before = moved(before, positions)
    first = new()
    for (_, keys), where in list(zip(changes, ats, strict=True))[:dispatched]:
        for key in keys:
            first.take(key, where)
    known: list[str] = []
    cursor = first.cursor
    for key in first.next(100, before):
        first.mark_sent(key, seen)
        if len(known) < cut:
            known.append(key)
            cursor = first.cursor
    again = decode(cursor.encode(SHOP, "deal"), SHOP, "deal")
    assert again == cursor
    second = new(at=BEGINNING)
    second.cursor = again
    for (_, keys), where in zip(changes, ats, strict=True):
        for key in keys:
            second.take(key, where)
    rest = second.next(100, seen)
    changed_later = {key for _, keys in changes[dispatched:] for key in keys}
    assert set(known) | set(rest) == {key for _, keys in changes for key in keys}
    assert set(known) & set(rest) <= changed_later


def test_a_change_that_the_sent_row_already_had_is_not_sent_again() -> None:
    one = new("a")
    one.take("a", {0: 1})
    assert one.next(10, places(1)) == ["a"]
    one.mark_sent("a", places(3))
    one.take("a", {0: 3})
    assert not one.due
    one.take("a", {0: 4})
    assert one.next(10, places(4)) == ["a"]


def test_the_cursor_does_not_move_while_missed_changes_are_looked_up() -> None:
    every = new(at=places(1))
    every.catching_up = 1
    every.take("b", {0: 9})
    assert every.next(10, places(9)) == ["b"]
    every.mark_sent("b", places(9))
    assert every.cursor == ResumeCursor(places(1))
    assert every.idle_cursor(places(9)) is None


def test_more_than_may_wait_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 2)
    every = new()
    for key in "abc":
        every.take(key, {0: 1})
    client: Any = every.client
    assert [error.code for error in client.failed] == ["SLOW_SUBSCRIBER"]


def test_a_position_names_every_partition() -> None:
    text = ",".join(f"{p}:{p + 1}" for p in range(12))
    assert decode(text, SHOP, "deal") == ResumeCursor(tuple(range(1, 13)))
    for wrong in ("0:1", "0:x", f"{text},12", "0:"):
        with pytest.raises(BadCursor):
            decode(wrong, SHOP, "deal")


def test_forgotten_rows_move_the_start_of_completeness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.subscriptions.recent.KEPT", 2)
    recent = Recent()
    recent.begin({"deal": places(1)})
    recent.add(("deal", SHOP), ["a", "b"], {0: 2})
    assert recent.reaches("deal", ResumeCursor(places(1)))
    assert dict(recent.changed(("deal", SHOP), "a", ResumeCursor(places(1)))) == {"a": {0: 2}}
    assert dict(recent.changed(("deal", SHOP), None, ResumeCursor(places(2)))) == {}
    recent.add(("deal", "other"), ["c"], {1: 5})
    assert not recent.reaches("deal", ResumeCursor(places(1)))
    assert recent.reaches("deal", ResumeCursor(places(2, 5)))
    assert covers(places(2, 5), {1: 5}) and not covers(places(2, 4), {1: 5})
