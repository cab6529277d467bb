"""Calendar periods of a time zone, such as its months, with the moments at which they begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum

from crm.moments import micros


class Period(Enum):
    """Lengths of time; a week begins on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


HOUR = timedelta(hours=1)
DAYS = {Period.DAY: 1, Period.WEEK: 7}
MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def spans(period: Period | None, zone: tzinfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yields the periods between two moments in order, the first and the last cut to them. Without a period: one."""
    at, end = begin.astimezone(zone), end.astimezone(zone)
    while micros(at) < micros(end):  # datetimes of one zone are compared by the hands of the clock, which go back
        following = min(next_begin(period, at), end, key=micros) if period else end
        yield at, following
        at = following


def next_begin(period: Period, at: datetime) -> datetime:
    """Returns when the period after that of `at` begins; the end of the calendar when it has none."""
    begin = begin_of(period, at)
    try:
        if period is Period.HOUR:
            return (begin.astimezone(UTC) + HOUR).astimezone(at.tzinfo)
        if period in MONTHS:
            months = begin.year * 12 + begin.month - 1 + MONTHS[period]
            return begin.replace(year=months // 12, month=months % 12 + 1)
        return datetime.combine(begin.date() + timedelta(days=DAYS[period]), time(), at.tzinfo)
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC)


def begin_of(period: Period, at: datetime) -> datetime:
    """Returns when the period of `at` begins, in its zone; of a day without midnight its first moment."""
    if period is Period.HOUR:
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.date()
    if period is Period.WEEK:
        day = date.fromordinal(max(day.toordinal() - day.weekday(), 1))
    elif period in MONTHS:
        length = MONTHS[period]
        day = day.replace(month=(day.month - 1) // length * length + 1, day=1)
    return datetime.combine(day, time(), at.tzinfo)


def whole(period: Period, zone: tzinfo, begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Returns a span with its first and its last period complete."""
    end = end.astimezone(zone)
    return begin_of(period, begin.astimezone(zone)), end if begin_of(period, end) == end else next_begin(period, end)
