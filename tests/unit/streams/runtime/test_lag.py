"""Lag is right for a consumer that runs, one that idles, and one that is halted."""

from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from streams.runtime.checkpoints import Checkpoint, Partition
from streams.runtime.lag import Lag
from tests.support.records import Fetched, Record

FORMS = Partition("crm.intake.forms", 0)
Key = tuple[str, Partition]


@pytest.fixture
def key() -> Key:
    """A consumer of this test alone: gauges are kept by the process."""
    return f"consumer-{uuid4().hex[:8]}", FORMS


def fetch(first: int, *times: int) -> Any:
    """Consecutive records that came at these seconds."""
    return Fetched([Record(b"", first + n, timestamp=at * 1000) for n, at in enumerate(times)])


def gauges(key: Key) -> tuple[float | None, float | None]:
    labels = {"consumergroup": key[0], "topic": FORMS.topic, "partition": "0"}
    return tuple(  # type: ignore[return-value]  # two of them
        REGISTRY.get_sample_value(name, labels)
        for name in ("kafka_consumergroup_lag", "kafka_consumergroup_lag_seconds")
    )


def test_a_halted_consumer_lags_by_the_oldest_record_it_has_not_taken(key: Key) -> None:
    """Lag in seconds was once the age of the newest record taken: 0 for a consumer that had stood for an hour."""
    lag, at = Lag(), Checkpoint(7, -1)
    lag.note_arrivals([fetch(5, 100, 101, 102, 103)], {key: at})
    lag.report(key, at, 9, now=110.0)
    assert gauges(key) == (2, 8)
    lag.report(key, at, 500, now=3710.0)
    assert gauges(key) == (493, 3608)


def test_a_consumer_that_has_taken_all_has_no_lag(key: Key) -> None:
    lag, at = Lag(), Checkpoint(7, -1)
    lag.note_arrivals([fetch(7, 100)], {key: at})
    lag.report(key, Checkpoint(8, -1), 8, now=3600.0)
    assert gauges(key) == (0, 0)


def test_after_a_long_rest_a_new_record_is_young(key: Key) -> None:
    """It is not fetched yet: its age counts from when it was noticed, not from the last record before the rest."""
    lag, at = Lag(), Checkpoint(8, -1)
    lag.note_arrivals([fetch(7, 100)], {key: Checkpoint(7, -1)})
    lag.report(key, at, 8, now=3600.0)
    lag.report(key, at, 9, now=3600.5)
    assert gauges(key) == (1, 0.5)


def test_between_two_fetches_of_an_old_log_it_stays_old(key: Key) -> None:
    lag = Lag()
    lag.note_arrivals([fetch(0, 100, 101)], {key: Checkpoint(0, -1)})
    lag.report(key, Checkpoint(2, -1), 9, now=1000.0)
    assert gauges(key) == (7, 900)


def test_consumers_of_one_partition_are_kept_apart(key: Key) -> None:
    other = f"{key[0]}-other", FORMS
    lag, at = Lag(), {key: Checkpoint(0, -1), other: Checkpoint(1, -1)}
    lag.note_arrivals([fetch(0, 100, 150)], at)
    for one, place in at.items():
        lag.report(one, place, 2, now=200.0)
    assert (gauges(key), gauges(other)) == ((2, 100), (1, 50))


def test_a_clock_that_lags_shows_no_negative_age(key: Key) -> None:
    lag, at = Lag(), Checkpoint(0, -1)
    lag.note_arrivals([fetch(0, 100)], {key: at})
    lag.report(key, at, 1, now=90.0)
    assert gauges(key) == (1, 0)
