"""Calendar periods of a time zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from crm.periods import Period, begin_of, spans, whole
from crm.zones import zone

KYIV = zone("Europe/Kyiv")
ZONES = ("Europe/Kyiv", "UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Africa/Cairo", "America/Havana")


def kyiv(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KYIV)


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        (Period.HOUR, ["2026-02-27T22:00", "2026-02-27T23:00", "2026-02-28T00:00"]),
        (Period.DAY, ["2026-02-27T22:00", "2026-02-28T00:00"]),
        (Period.WEEK, ["2026-02-27T22:00"]),
        (None, ["2026-02-27T22:00"]),
    ],
)
def test_the_first_and_the_last_period_are_cut(period: Period | None, begins: list[str]) -> None:
    begin, end = kyiv("2026-02-27T22:00"), kyiv("2026-02-28T01:00")
    found = list(spans(period, KYIV, begin, end))
    assert [first for first, _ in found] == [kyiv(text) for text in begins]
    assert found[-1][1] == end
    assert list(spans(period, KYIV, end, begin)) == []


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        (Period.DAY, "2026-03-29T00:00", "2026-03-30T00:00"),
        (Period.WEEK, "2026-03-23T00:00", "2026-03-30T00:00"),
        (Period.MONTH, "2026-03-01T00:00", "2026-04-01T00:00"),
        (Period.QUARTER, "2026-01-01T00:00", "2026-04-01T00:00"),
        (Period.YEAR, "2026-01-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_whole_periods(period: Period, begin: str, end: str) -> None:
    at = kyiv("2026-03-29T12:00")
    assert whole(period, KYIV, at, at + timedelta(hours=1)) == (kyiv(begin), kyiv(end))
    assert whole(period, KYIV, kyiv(begin), kyiv(end)) == (kyiv(begin), kyiv(end))


def test_the_day_on_which_clocks_are_put_forward_has_23_hours() -> None:
    ((begin, end),) = spans(Period.DAY, KYIV, kyiv("2026-03-29T00:00"), kyiv("2026-03-30T00:00"))
    assert end.astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=23)
    assert len(list(spans(Period.HOUR, KYIV, begin, end))) == 23


def test_the_end_of_the_calendar() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert list(spans(Period.YEAR, UTC, last - timedelta(days=1), last)) == [(last - timedelta(days=1), last)]
    assert begin_of(Period.WEEK, datetime(1, 1, 1, tzinfo=UTC)) == datetime(1, 1, 1, tzinfo=UTC)


@for_any(
    at=st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    name=st.sampled_from(ZONES),
    period=st.sampled_from(Period),
    days=st.integers(0, 100),
)
def test_periods_follow_each_other(at: datetime, name: str, period: Period, days: int) -> None:
    begin, end = whole(period, zone(name), at, at + timedelta(days=days))
    found = list(spans(period, zone(name), begin, end))
    assert begin <= at
    assert (found[0][0], found[-1][1]) == (begin, end) if found else begin == end
    for (_, one), (other, _) in pairwise(found):
        assert one == other
    for first, last in found:
        assert first.astimezone(UTC) < last.astimezone(UTC)
