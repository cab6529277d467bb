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


class Totals:
    """Counts and sums of rows by a column, added up row by row: a funnel by stage, say."""

    def __init__(self, by: str, sum_of: str = "amount_minor") -> None:
        self.by, self.sum_of = by, sum_of
        self.counts: Counter[str] = Counter()
        self.sums: dict[str, Counter[str]] = {}

    def add(self, rows: Iterable[Any]) -> None:
        """Adds rows; those that have a sum and a currency also to the sums."""
        for row in rows:
            amount = getattr(row, self.sum_of, None)
            self.add_group(str(getattr(row, self.by)), 1, None if amount is None else row.currency, amount or 0)

    def add_group(self, value: str, count: int, currency: str | None, amount: int) -> None:
        self.counts[value] += count
        if currency is not None:
            self.sums.setdefault(value, Counter())[currency] += amount

    def found(self) -> list[Total]:
        return [Total(value, n, dict(self.sums.get(value, {}))) for value, n in sorted(self.counts.items())]


def totals(rows: Iterable[Any], by: str, sum_of: str = "amount_minor") -> list[Total]:
    """Returns the counts and sums of these rows by a column."""
    found = Totals(by, sum_of)
    found.add(rows)
    return found.found()
