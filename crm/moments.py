"""Moments as people write them: a day, or a time with its offset from UTC."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from crm.envelope import Event
from crm.scalars import Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Clock(StrEnum):
    """Every event has two: when it happened (as whoever told us says), and when it came to be known here."""

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


def first(text: str) -> Micros:
    """The moment that is meant; of a day its first. Without an offset it is UTC. Raises ValueError."""
    return micros(read(text, time.min))


def last(text: str) -> Micros:
    """The moment that is meant; of a day its last. Without an offset it is UTC. Raises ValueError."""
    return micros(read(text, time.max))


def read(text: str, of_day: time) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), of_day, UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment. Write a day (2026-01-31) or a time (2026-01-31T18:30, 2026-01-31T18:30+02:00)."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def micros(at: datetime) -> Micros:
    return Micros((at - EPOCH) // MICROSECOND)


def written(at: Micros) -> str:
    """For people: UTC, to the second unless it is finer."""
    told = (EPOCH + at * MICROSECOND).isoformat()
    return told.replace("+00:00", "Z")
