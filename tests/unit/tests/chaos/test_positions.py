"""The second invariant catches what it must: a gap, a repeat with other bytes, a repeat that is no suffix."""

import pytest

from crm.scalars import Id
from tests.chaos.invariants import decide_state
from tests.chaos.invariants.journal import Entry, entry_of, journal_of
from tests.chaos.invariants.positions import Positions
from tests.support.reference_run import events, journal, log


def broken(*positions: int | None, other: int | None = None) -> tuple[list[int], dict[str, list[str]]]:
    """What is new of records at these positions, and what is wrong. The one at offset `other` has bytes of its own."""
    invariant = Positions(3)
    values = [
        b"other" if offset == other else f"value {position}".encode() for offset, position in enumerate(positions)
    ]
    fresh = [offset for offset, value in enumerate(values) if invariant.new(positions[offset], value)]
    return fresh, invariant.wrong


@pytest.mark.parametrize(
    ("positions", "fresh"),
    [
        pytest.param((0, 1, 2), [0, 1, 2], id="dense"),
        pytest.param((0, 1, 2, 1, 2, 3), [0, 1, 2, 5], id="a suffix repeated"),
        pytest.param((0, 1, 2, 3, 1, 2, 4), [0, 1, 2, 3, 6], id="a frozen relay's batch came late"),
        pytest.param((0, 1, 2, 1, 2, 0, 1, 2, 3), [0, 1, 2, 8], id="repeated twice"),
        pytest.param((), [], id="empty"),
    ],
)
def test_what_a_relay_may_do_holds(positions: tuple[int, ...], fresh: list[int]) -> None:
    assert broken(*positions) == (fresh, {})


@pytest.mark.parametrize(
    ("positions", "other", "wrong"),
    [
        ((0, 1, 4, 5), None, {"positions are missing": ["crm.journal/3: 2 to 3"]}),
        ((1, 2), None, {"positions are missing": ["crm.journal/3: 0 to 0"]}),
        ((0, 1, 1, 2), 2, {"positions have two different events": ["crm.journal/3: 1"]}),
        (
            (0, 1, 2, 3, 4, 1, 3, 4, 5),
            None,
            {"repeats are no suffix": ["crm.journal/3: 3 follows 1 where 4 was reached"]},
        ),
        ((0, None, 1), None, {"records have no position": ["crm.journal/3: offset 1"]}),
    ],
)
def test_each_offence_is_caught(
    positions: tuple[int | None, ...], other: int | None, wrong: dict[str, list[str]]
) -> None:
    assert broken(*positions, other=other)[1] == wrong


def test_a_true_log_is_read_whole() -> None:
    read = journal(events())
    assert (read.broken, read.unread) == ([], set())
    assert {event.meta.id for event in read.events} == {event.meta.id for event in events()}


def test_a_repeated_suffix_is_read_once() -> None:
    records = log(events())
    records[0] += records[0][-3:]
    read = journal_of(records)
    assert (read.broken, read.partitions) == ([], journal(events()).partitions)


def test_a_record_in_the_wrong_partition_is_caught() -> None:
    records = log(events())
    end = len(records[1])
    records[1].append(records[0][-1]._replace(position=end))
    assert journal_of(records).broken == [f"1 events lie in another partition than their stream: crm.journal/1: {end}."]


def test_a_value_that_cannot_be_read_is_caught() -> None:
    records = log(events())
    records[1][-1] = records[1][-1]._replace(value=records[1][-1].value[:-1])
    (said,) = journal_of(records).broken
    assert said.startswith(f"1 events cannot be read: crm.journal/1: {len(records[1]) - 1}: the body does not fit")


def test_the_header_is_read_as_the_relay_writes_it() -> None:
    assert entry_of(b"v", [("ce_id", b"an id"), ("position", b"12")]) == Entry(12, b"v", Id("an id"))
    assert entry_of(b"v", []) == Entry(None, b"v", Id(""))


def test_a_journal_head_that_ran_ahead_is_caught() -> None:
    assert decide_state.compare_heads({0: 5, 1: 7}, [(0, 5), (1, 7)]) == []
    assert decide_state.compare_heads({0: 5, 1: 7}, [(0, 6), (1, 7)]) == [
        "1 partitions have another next position in core.journal_head: 0 has 6, Kafka 5."
    ]
