"""Totals: what a projection counts and sums up, and how a span of time is put together from what is kept.

A total is declared as "stage, owner", the columns that it groups by, or as "source by opened_at", which also keeps it
by time. Time is kept in UTC, by the month and the day, because the time zone of a workspace is no part of a row: a
month of any zone is a month in UTC with the rows of a few hours added at its begin and taken away at its end.
"""

from collections.abc import Hashable, Iterator
from functools import cache
from operator import add as plus
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from crm.scalars import Micros

ALL, MONTH, DAY = "all", "month", "day"  # what cells are of; ALL: of a total without a time
ROWS = "rows"  # a part of a span that no cell covers: its rows are counted
A_DAY = Micros(86_400_000_000)
LONGEST = 200  # characters of a group's value: longer ones are cut, as an index holds them
GROUPED = ("text", "boolean", "uuid")
TAKEN = ("workspace", "total", "grain", "period", "partition", "count")  # other columns of a table of totals


class Total(NamedTuple):
    """A declared total. `time` is empty when it is not kept by time."""

    name: str
    columns: tuple[str, ...]
    time: str = ""


class Declares(Hashable, Protocol):
    """What is read here of a projection."""

    @property
    def key(self) -> str: ...
    @property
    def handles(self) -> tuple[Any, ...]: ...
    @property
    def needs_row(self) -> bool: ...
    @property
    def indexes(self) -> tuple[str, ...]: ...
    @property
    def totals(self) -> tuple[str, ...]: ...
    @property
    def summed(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[Any, ...]: ...


class Part(NamedTuple):
    """Cells of one grain, or rows, from `begin` to before `end`, to be added (1) or taken away (-1)."""

    sign: int
    grain: str
    begin: Micros
    end: Micros


@cache
def totals(projection: Declares) -> tuple[Total, ...]:
    found = []
    for declared in projection.totals:
        columns, _, time = declared.partition(" by ")
        found.append(Total(declared, tuple(name.strip() for name in columns.split(",")), time.strip()))
    return tuple(found)


@cache
def groups(projection: Declares) -> tuple[str, ...]:
    """Returns the columns that any total groups by, in the order of the declarations."""
    return tuple(dict.fromkeys(name for total in totals(projection) for name in total.columns))


def times(projection: Declares) -> list[str]:
    return list(dict.fromkeys(total.time for total in totals(projection) if total.time))


def in_currencies(projection: Declares) -> bool:
    """Tells whether amounts are summed, which each currency has its own sums of."""
    return any(name.endswith("_minor") for name in projection.summed)


def places(projection: Declares) -> dict[str, str]:
    """Returns the columns that say which cells a row belongs to, each with its type: groups, currency and times."""
    types = {column.name: column.type for column in projection.columns}
    currency = ["currency"] if in_currencies(projection) else []
    return {name: types[name] for name in dict.fromkeys([*groups(projection), *currency, *times(projection)])}


class Tally:
    """Adds up what rows take from their cells and give to them, before any cell is touched.

    Rows of one day with the same values belong to the same cells: a batch of changes comes down to a few sums.
    """

    def __init__(self, projection: Declares) -> None:
        types = {column.name: column for column in projection.columns}
        found = places(projection)
        self.width = len(found)
        self.days = [n for n, kind in enumerate(found.values()) if kind == "timestamptz"]
        self.required = [types[name].required for name in projection.summed]
        names = *found, *projection.summed
        self.read = attrgetter(*names) if len(names) > 1 else lambda row: (getattr(row, names[0]),)
        self.sums: dict[tuple[Any, ...], list[int]] = {}

    def change(self, where: tuple[Any, ...], before: Any, after: Any) -> None:
        """Takes the row `before` out of its cells and puts the row `after` into its own; None is no row."""
        old = None if before is None else self.read(before)
        new = None if after is None else self.read(after)
        if old != new:
            self.add(where, -1, old)
            self.add(where, 1, new)

    def add(self, where: tuple[Any, ...], sign: int, values: tuple[Any, ...] | None) -> None:
        """`values`: of the places, then of what is summed."""
        if values is None:
            return
        cell = list(values[: self.width])
        for n in self.days:
            if cell[n] is not None:
                cell[n] -= cell[n] % A_DAY
        numbers = [sign]
        for value, required in zip(values[self.width :], self.required, strict=True):
            numbers.append(sign * (value or 0))
            if not required:
                numbers.append(sign * (value is not None))
        place = *where, *cell
        sums = self.sums.get(place)
        self.sums[place] = [*map(plus, sums, numbers)] if sums else numbers

    def changes(self) -> list[tuple[Any, ...]]:
        """Returns where, the values of `places`, and what count and sums change by, where any does."""
        return [(*place, *sums) for place, sums in self.sums.items() if any(sums)]


def held(projection: Declares, index: str) -> list[str]:
    """Returns the columns that the index of a total's time holds too, so that the hours at the ends of a span are
    counted from the index alone: at a million rows each of these rows would be another page.

    None if a text among them is in no index yet, as nothing says that it fits into one.
    """
    groups = {name for total in totals(projection) if total.time == index for name in total.columns}
    indexed = {name.strip() for declared in projection.indexes for name in declared.split(",")}
    texts = {column.name for column in projection.columns if column.type == "text"}
    if not groups or (groups & texts) - indexed:
        return []
    currency = {"currency"} if in_currencies(projection) else set()
    wanted = {*groups, *currency, *projection.summed}
    return [column.name for column in projection.columns if column.name in wanted]


def check(projection: Declares, name: str) -> None:
    """Raises ValueError with what a declaration names and the row has not."""
    types = {column.name: column.type for column in projection.columns}
    replaces = any(projection.key in kind.__struct_fields__ for kind in projection.handles)
    if projection.totals and replaces and not projection.needs_row:
        raise ValueError(f"{name} replaces rows that it does not look at, so its totals cannot be kept.")
    if projection.summed and not projection.totals:
        raise ValueError(f"{name} sums {', '.join(projection.summed)} and declares no totals. Add `totals=(...)`.")
    for total in totals(projection):
        for column in total.columns:
            if types.get(column) not in GROUPED or column in TAKEN:
                there = ", ".join(c for c, kind in types.items() if kind in GROUPED and c not in TAKEN)
                raise ValueError(f"The total {total.name!r} of {name} groups by {column!r}. It can group by {there}.")
        if total.time and (types.get(total.time) != "timestamptz" or total.time not in projection.indexes):
            there = ", ".join(c for c, kind in types.items() if kind == "timestamptz")
            raise ValueError(
                f"The total {total.name!r} of {name} is by {total.time!r}. It can be by {there}, each with an index of "
                "its own: the hours at the ends of a month are counted through it."
            )
    for column in projection.summed:
        if types.get(column) != "bigint":
            there = ", ".join(c for c, kind in types.items() if kind == "bigint")
            raise ValueError(f"{name} sums {column!r}. It can sum {there}.")
    if in_currencies(projection) and "currency" not in types:
        raise ValueError(f"{name} sums amounts and has no column `currency`: different currencies have no sum.")


def parts(begin: Micros, end: Micros) -> Iterator[Part]:
    """Yields what makes up a span of time: whole months, days around them, and the rows of the hours at its ends.

    A span that ends at a local midnight is off from one in UTC by a few hours: these are added or taken away.
    """
    if end <= begin:
        return
    first, last = nearest_day(begin), nearest_day(end)
    if first >= last:  # within a day and a half
        yield Part(1, ROWS, begin, end)
        return
    yield from signed(ROWS, begin, first)
    yield from days(first, last)
    yield from signed(ROWS, last, end)


def signed(grain: str, begin: Micros, end: Micros) -> Iterator[Part]:
    if begin != end:
        yield Part(1, grain, begin, end) if begin < end else Part(-1, grain, end, begin)


def days(begin: Micros, end: Micros) -> Iterator[Part]:
    """Yields the cells between two midnights, UTC."""
    first, last = month_begin(begin), month_begin(end)
    first = first if first == begin else next_month(begin)
    if first >= last:
        yield Part(1, DAY, begin, end)
        return
    yield from signed(DAY, begin, first)
    yield Part(1, MONTH, first, last)
    yield from signed(DAY, last, end)


def nearest_day(at: Micros) -> Micros:
    return Micros((at + A_DAY // 2) // A_DAY * A_DAY)


def month_begin(at: Micros) -> Micros:
    """Returns the first moment of a month, UTC, of any year: https://howardhinnant.github.io/date_algorithms.html."""
    year, month = civil(at)
    return begin_of(year, month)


def next_month(at: Micros) -> Micros:
    year, month = civil(at)
    return begin_of(year + month // 12, month % 12 + 1)


def civil(at: Micros) -> tuple[int, int]:
    """Returns year and month in the proleptic Gregorian calendar, as Postgres has it."""
    day = at // A_DAY + 719_468
    era, of_era = divmod(day, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    shifted = (5 * (of_era - (365 * year + year // 4 - year // 100)) + 2) // 153  # 0 is March
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month


def begin_of(year: int, month: int) -> Micros:
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5
    return Micros((era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468) * A_DAY)
