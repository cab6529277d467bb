"""A row, or all rows, as they were at a moment on either clock: the ordinary fold over the events up to it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from crm.envelope import Event, Row
from crm.moments import Clock
from crm.projection import Projection
from crm.scalars import Id, Micros


def row_as_of(projection: Projection[Any], events: Iterable[Event], at: Micros, clock: Clock) -> Any:
    """`events`: of one row, in their stream's order. None when the row was not there."""
    row = None
    for event in events:
        if clock.of(event) <= at:
            row = projection.fold(row if projection.needs_row else None, event)
    return row


def rows_as_of(projection: Projection[Any], events: Iterable[Event], at: Micros, clock: Clock) -> dict[Id, Row]:
    """`events`: of one workspace, each stream's in its order; rows by their key."""
    rows: dict[Id, Row] = {}
    for event in events:
        if clock.of(event) <= at:
            key = projection.key_of(event)
            row = projection.fold(rows.get(key) if projection.needs_row else None, event)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
    return rows


def in_order(events: Sequence[Any]) -> Sequence[Any]:
    """Of several streams, each in its own order: between streams there is none but by the clock of the record."""
    if len({event.meta.stream for event in events}) < 2:
        return events
    latest: dict[Id, Micros] = {}
    times = []
    for event in events:
        at = max(event.meta.recorded_at, latest.get(event.meta.stream, event.meta.recorded_at))
        latest[event.meta.stream] = at
        times.append(at)
    return [events[n] for n in sorted(range(len(events)), key=times.__getitem__)]


class Total(Struct, frozen=True):
    """Of the rows that have one value in a column."""

    value: str
    count: int
    sums: dict[str, int]  # of each currency, in minor units


def totals(rows: Iterable[Any], by: str, sum_of: str = "amount_minor") -> list[Total]:
    """Counts and sums of the rows by a column: a funnel by stage, say. Sums where a row has a sum and a currency."""
    counts: Counter[str] = Counter()
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        value = str(getattr(row, by))
        counts[value] += 1
        if (amount := getattr(row, sum_of, None)) is not None:
            sums.setdefault(value, Counter())[row.currency] += amount
    return [Total(value, count, dict(sums.get(value, {}))) for value, count in sorted(counts.items())]
