"""What a checkpoint lets through: each position once and in order, whatever the log repeats."""

from dataclasses import dataclass

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from streams.runtime.checkpoints import (
    Checkpoint,
    LogMismatch,
    Partition,
    Place,
    Record,
    as_they_came,
    lowest_offsets,
    new_records,
    require_within_log,
    select_new,
)

ZERO, ONE = Partition("crm.journal", 0), Partition("crm.journal", 1)


@dataclass(frozen=True)
class Numbered:
    """A record as aiokafka hands it over; in the journal a header holds its position."""

    offset: int
    position: int = -1
    topic: str = ZERO.topic
    partition: int = ZERO.partition

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_id", b"an id"), ("position", str(self.position).encode())]


def journal(*positions: int, offset: int = 0) -> list[Record]:
    return [Numbered(at, position) for at, position in enumerate(positions, offset)]


def test_a_first_batch_is_taken_whole() -> None:
    records = journal(0, 1, 2)
    assert select_new(records, Checkpoint(0, -1), positioned=True) == (records, Checkpoint(3, 2))


def test_offsets_already_passed_are_dropped() -> None:
    """A rewind reads them again; so does a second worker that waited for the first one's lock."""
    intake = [Numbered(offset) for offset in range(4, 9)]
    assert select_new(intake, Checkpoint(6, -1), positioned=False) == (intake[2:], Checkpoint(9, -1))
    records = journal(4, 5, 6, 7, offset=4)
    assert select_new(records, Checkpoint(6, 5), positioned=True) == (records[2:], Checkpoint(8, 7))


def test_nothing_new_leaves_the_checkpoint_as_it_is() -> None:
    at = Checkpoint(8, 7)
    assert select_new(journal(6, 7, offset=6), at, positioned=True) == ([], at)
    assert select_new([], at, positioned=True) == ([], at)
    assert select_new([], at, positioned=False) == ([], at)


def test_a_repeated_suffix_is_dropped_by_its_positions() -> None:
    records = journal(0, 1, 2, 3, 2, 3, 4, 3, 4, 5)
    taken, after = select_new(records, Checkpoint(0, -1), positioned=True)
    assert taken == [records[n] for n in (0, 1, 2, 3, 6, 9)]
    assert after == Checkpoint(10, 5)


def test_repeats_alone_move_the_offset_and_nothing_else() -> None:
    assert select_new(journal(2, 3, offset=4), Checkpoint(4, 3), positioned=True) == ([], Checkpoint(6, 3))


def test_a_gap_is_refused_with_its_place() -> None:
    with pytest.raises(LogMismatch) as refused:
        select_new(journal(3, 5, offset=10), Checkpoint(10, 2), positioned=True)
    assert str(refused.value) == (
        "crm.journal/0: position 5 follows 3 at offset 11. "
        "Nothing was applied. Restore what the journal lacks from an archive."
    )


@st.composite
def repeating(draw: st.DrawFn) -> list[int]:
    """Positions of a log whose writers crashed: each began again somewhere before the end."""
    log: list[int] = []
    for _ in range(draw(st.integers(1, 6))):
        end = max(log, default=-1) + 1
        begin = draw(st.integers(max(0, end - 4), end))
        log += range(begin, end + draw(st.integers(0, 5)))
    return log


@for_any(positions=repeating(), batches=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_each_position_is_taken_once_and_in_order(positions: list[int], batches: list[tuple[int, int]]) -> None:
    """In batches of any size, empty ones too, some of which begin before the checkpoint; the last takes the rest."""
    records, at = journal(*positions), Checkpoint(0, -1)
    taken: list[int] = []
    for back, size in [*batches, (0, len(records))]:
        begin, end = max(0, at.next_offset - back), at.next_offset + size
        new, at = select_new(records[begin:end], at, positioned=True)
        taken += [record.position for record in new]
    assert taken == list(range(max(positions, default=-1) + 1))
    assert at == Checkpoint(len(records), max(positions, default=-1))


def test_reading_begins_where_the_slowest_consumer_is() -> None:
    places = {
        ("deal_v1", ZERO): Checkpoint(7, 6),
        ("call_v1", ZERO): Checkpoint(3, 2),
        ("deal_v1", ONE): Checkpoint(0, -1),
        ("call_v1", ONE): Checkpoint(9, 8),
    }
    assert lowest_offsets(places) == {ZERO: 3, ONE: 0}
    assert lowest_offsets({}) == {}


@pytest.mark.parametrize("offset", [2, 5, 9])
def test_a_checkpoint_within_the_log_is_fine(offset: int) -> None:
    require_within_log({ZERO: offset}, first={ZERO: 2, ONE: 0}, end={ZERO: 9, ONE: 0})


@pytest.mark.parametrize("offset", [1, 10])
def test_a_checkpoint_outside_the_log_is_refused(offset: int) -> None:
    """Before its beginning: records expired. Behind its end: the topic was recreated, or Kafka lost its data."""
    with pytest.raises(LogMismatch) as refused:
        require_within_log({ONE: 0, ZERO: offset}, first={ZERO: 2, ONE: 0}, end={ZERO: 9, ONE: 0})
    assert str(refused.value) == (
        f"crm.journal/0: the checkpoint says {offset}, the log has 2 to 9. "
        "Nothing was read. Restore the topic or its database."
    )


def test_consumers_at_one_place_take_the_same_records() -> None:
    """In the order of their names, in which rows are locked; one that is behind takes more."""
    log, other = journal(0, 1, 2), journal(0)
    together = Place(("call_v1", "deal_v1"), ZERO, Checkpoint(1, 0))
    behind = Place(("contact_v1", "board_v1"), ZERO, Checkpoint(0, -1))
    elsewhere = Place(("board_v1", "call_v1", "contact_v1", "deal_v1"), ONE, Checkpoint(0, -1))
    for place, records in ((together, log), (behind, log), (elsewhere, other)):
        place.take(records, positioned=True)
    found = new_records([together, behind, elsewhere])
    assert [*found.items()] == [
        ("board_v1", [*log, *other]),
        ("call_v1", [*log[1:], *other]),
        ("contact_v1", [*log, *other]),
        ("deal_v1", [*log[1:], *other]),
    ]
    assert found["call_v1"] is found["deal_v1"]  # decoded once
    assert (together.at, behind.at, elsewhere.at) == (Checkpoint(3, 2), Checkpoint(3, 2), Checkpoint(1, 0))


def test_what_was_taken_before_moves_nothing() -> None:
    place = Place(("deal_v1",), ZERO, Checkpoint(2, 1))
    place.take(journal(0, 1), positioned=True)
    assert (place.taken, place.at) == ([], Checkpoint(2, 1))


def test_topics_are_taken_as_they_came_and_not_by_their_names() -> None:
    """A payment was decided before its form, waited for it, and the whole batch was decided twice."""
    banking, calls, forms = (Partition(topic, 0) for topic in ("banking", "calls", "forms"))
    places = [Place(("decide",), partition, Checkpoint(0, -1)) for partition in (banking, calls, forms)]
    places[0].take(paid := journal(0), positioned=False)
    places[2].take(form := journal(0), positioned=False)
    came = as_they_came(places, [forms, banking, forms, calls])
    assert new_records(came) == {"decide": [*form, *paid]}
    assert [place.partition for place in came] == [forms, banking]
