"""Moments as people write them: a day, a time with its offset from UTC, `now`, or `2h` before it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from crm.envelope import Event, now
from crm.scalars import Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
AGO = re.compile(r"(\d{1,9})\s*([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Clock(StrEnum):
    """Every event has two: when it happened (as its source says), and when it came to be known here."""

    OCCURRED = "occurred"
    RECORDED = "recorded"

    def of(self, event: Event) -> Micros:
        return event.meta.occurred_at if self is Clock.OCCURRED else event.meta.recorded_at


def clock(text: str) -> Clock:
    """In either case. Raises ValueError."""
    try:
        return Clock(text.lower())
    except ValueError:
        raise ValueError(
            f"There is no clock {text!r}: it is `occurred` (what was true) or `recorded` (what we knew)."
        ) from None


def first(text: str, at: Micros | None = None) -> Micros:
    """The moment that is meant; of a day its first. Without an offset it is UTC. `at`: now. Raises ValueError."""
    return micros(read(text, time.min, at))


def last(text: str, at: Micros | None = None) -> Micros:
    """The moment that is meant; of a day its last. Without an offset it is UTC. `at`: now. Raises ValueError."""
    return micros(read(text, time.max, at))


def read(text: str, of_day: time, now_is: Micros | None) -> datetime:
    try:
        if ago := AGO.fullmatch("0s" if text == "now" else text):
            return nearest(now() if now_is is None else now_is) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), of_day, UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no moment. Write a day (2026-01-31), a time (2026-01-31T18:30, 2026-01-31T18:30+02:00), "
            "now, or how long ago (30m, 2h, 7d)."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def micros(at: datetime) -> Micros:
    return Micros((at - EPOCH) // MICROSECOND)


def nearest(at: Micros) -> datetime:
    """A moment that no calendar of Python's has is its first or its last."""
    try:
        return EPOCH + at * MICROSECOND
    except OverflowError:
        return LAST if at > 0 else FIRST


def written(at: Micros) -> str:
    """For people: UTC, to the second unless it is finer."""
    text = nearest(at).isoformat()
    return text.replace("+00:00", "Z")
