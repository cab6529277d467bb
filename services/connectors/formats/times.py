"""Vendors' clocks as microseconds: unix seconds, unix milliseconds and ISO 8601, exactly or not at all."""

from datetime import UTC, datetime, timedelta, tzinfo

from crm.errors import Malformed
from crm.scalars import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = ((moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND for moment in (datetime.min, datetime.max))


def from_seconds(seconds: int) -> Micros:
    """Raises Malformed outside the years 1 to 9999."""
    return _within(seconds * 1_000_000)


def written(moment: Micros, form: str, zone: tzinfo = UTC) -> str:
    """Returns a moment as a vendor wants to be asked: `written(turn.since, "%Y-%m-%d")`."""
    return datetime.fromtimestamp(moment // 1_000_000, zone).strftime(form)


def moment_or_none(seconds: int | None) -> Micros | None:
    """Returns an optional time. None for a missing one, for 0 (which vendors write for none) and for an invalid one."""
    return Micros(found) if seconds and _FIRST <= (found := seconds * 1_000_000) <= _LAST else None


def moment_of_millis(millis: int | None) -> Micros | None:
    """`moment_or_none` of milliseconds."""
    return Micros(found) if millis and _FIRST <= (found := millis * 1_000) <= _LAST else None


def from_millis(millis: int) -> Micros:
    """Raises Malformed outside the years 1 to 9999."""
    return _within(millis * 1_000)


def from_iso(text: str) -> Micros:
    """Reads ISO 8601; a time without a zone is UTC. Raises Malformed."""
    return from_datetime(text, UTC)


def from_datetime(text: str, zone: tzinfo) -> Micros:
    """Reads ISO 8601; a time without a zone is of the given one. Raises Malformed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"{text[:40]!r} is no moment in ISO 8601.") from None
    try:
        return _within(((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - _EPOCH) // _MICROSECOND)
    except OverflowError:
        raise Malformed("It names a moment outside the years 1 to 9999.") from None


def from_day_first(text: str, zone: tzinfo) -> Micros:
    """Reads 13.07.2024 01:23:59, or the day alone, in a zone. Raises Malformed."""
    try:
        moment = datetime.strptime(text, "%d.%m.%Y %H:%M:%S" if " " in text else "%d.%m.%Y")  # the zone follows
    except ValueError:
        raise Malformed(f"{text[:40]!r} is no moment.") from None
    return from_datetime(moment.isoformat(), zone)


def iso_or_none(text: str) -> Micros | None:
    """`from_iso` for an optional time: None for a missing one and for what is no moment."""
    try:
        return from_iso(text) if text else None
    except Malformed:
        return None


def _within(micros: int) -> Micros:
    if not _FIRST <= micros <= _LAST:
        raise Malformed("It names a moment outside the years 1 to 9999.")
    return Micros(micros)
