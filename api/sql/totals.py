"""Reads totals: the declared total that answers a question, and the statement that adds up its cells."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from api.errors import BadInput, TooMuch, Unavailable
from api.schema.names import camel
from api.sql.reads import Reads
from crm import totals
from crm.adapters.postgres import totals as cells
from crm.moments import nearest
from crm.projection import Projection
from crm.totals import ALL, MONTH, ROWS, Part, Total

GROUPS = 10_000  # in one answer
EVER = Part(1, MONTH, totals.begin_of(1, 1), totals.begin_of(10_000, 1))
Row = dict[str, Any]


class Question(NamedTuple):
    """What to group by and to filter by, and by which time; `time` is empty when no time is asked about."""

    by: tuple[str, ...]
    filters: Mapping[str, Sequence[str]]
    time: str

    @property
    def columns(self) -> set[str]:
        return {*self.by, *self.filters}


def total_for(projection: Projection[Any], question: Question) -> Total:
    """Returns the total with the fewest columns that answers. Raises BadInput with those that there are."""
    every = totals.totals(projection)
    required = {column.name for column in projection.columns if column.required}
    times = {question.time} if question.time else {"", *required}  # a time that may be missing does not count all rows
    fit = [t for t in every if question.columns <= set(t.columns) and t.time in times]
    if not fit:
        wanted = " and ".join(f"`{camel(name)}`" for name in sorted(question.columns)) or "nothing"
        when = f", by `{camel(question.time)}`" if question.time else ""
        there = "; ".join(named(total) for total in every)
        raise BadInput(f"No total of {projection.name} has {wanted}{when}. Nothing was read. There are: {there}.")
    return min(fit, key=lambda total: (bool(total.time), len(total.columns)))


def named(total: Total) -> str:
    columns = ", ".join(camel(name) for name in total.columns)
    return f"{columns}{f' by {camel(total.time)}' if total.time else ''}"


def statement(projection: Projection[Any], question: Question) -> str:
    """Returns the statement. Parameters: `total`, one for each filter, and arrays of ranges and of their uses by spans.

    A range is one of the cells' primary key, or of the index of rows by time. It is read once, also where one span
    ends and the next one begins.
    """
    numbers = cells.numbers(projection)
    kept = [*question.by, *(["currency"] if totals.in_currencies(projection) else [])]
    grouped = "".join(f"{name}, " for name in kept)
    outer = ", ".join(f"sum(u.sign * r.{name}) AS {name}" for name in numbers)
    order = ", ".join(str(n + 1) for n in range(len(kept) + 1))
    within = " GROUP BY " + ", ".join(str(n + 1) for n in range(len(kept))) if kept else " HAVING count(*) > 0"

    def chosen(value: Callable[[str], str]) -> str:
        return "".join(f" AND {value(name)} = ANY (%({name})s)" for name in question.filters) + within

    inside = f"SELECT {grouped}{', '.join(f'sum(t.{name}) AS {name}' for name in numbers)} " + (
        f"FROM {cells.view(projection.name)} AS t WHERE t.workspace = %(workspace)s AND t.total = %(total)s "
        f"AND t.grain = p.grain AND t.period >= p.begins AND t.period < p.ends{chosen(lambda name: f't.{name}')}"
    )
    if question.time:
        groups = "".join(f"{cells.group(name)}, " for name in kept)
        inside += f" UNION ALL SELECT {groups}{', '.join(f'sum({value})' for value in numbers.values())} " + (
            f"FROM read.{projection.name} AS r WHERE p.grain = '{ROWS}' AND r.workspace = %(workspace)s "
            f"AND r.{question.time} >= p.begins AND r.{question.time} < p.ends{chosen(cells.group)}"
        )
    return (
        f"WITH r AS MATERIALIZED (SELECT p.n, s.* FROM unnest(%(grains)s::text[], %(begins)s::timestamptz[], "
        f"%(ends)s::timestamptz[]) WITH ORDINALITY AS p(grain, begins, ends, n) CROSS JOIN LATERAL ({inside}) AS s) "
        f"SELECT u.span, {grouped}{outer} FROM r JOIN unnest(%(spans)s::int[], %(signs)s::int[], %(uses)s::int[]) "
        f"AS u(span, sign, n) USING (n) GROUP BY {order} HAVING sum(u.sign * r.count) <> 0 "
        f"ORDER BY {order} LIMIT {GROUPS + 1}"
    )


async def read(
    reads: Reads, projection: Projection[Any], total: Total, question: Question, parts: Sequence[tuple[int, Part]]
) -> list[Row]:
    """Returns rows with their `span`, in the order of spans and groups. Raises TooMuch or Unavailable.

    `parts`: each with the number of the span that it belongs to.
    """
    if not total.time:
        parts = [(0, EVER._replace(grain=ALL))]
    ranges = list(dict.fromkeys(part[1:] for _, part in parts))
    places = {range_: n for n, range_ in enumerate(ranges, 1)}
    found = await rows(
        reads,
        projection,
        statement(projection, question),
        total=total.name,
        grains=[grain for grain, _, _ in ranges],
        begins=[nearest(begin) for _, begin, _ in ranges],
        ends=[nearest(end) for _, _, end in ranges],
        spans=[n for n, _ in parts],
        signs=[part.sign for _, part in parts],
        uses=[places[part[1:]] for _, part in parts],
        **{name: list(values) for name, values in question.filters.items()},
    )
    if len(found) > GROUPS:
        raise TooMuch(f"The answer has more than {GROUPS:,} groups. Nothing was read. Ask for longer periods or less.")
    return found


async def extent(reads: Reads, projection: Projection[Any], total: Total) -> Row | None:
    """Returns `begin` and `end` of the months that have anything; None when there is nothing."""
    (found,) = await rows(
        reads,
        projection,
        f"SELECT min(t.period) AS begin, max(t.period) + interval '1 month' AS end FROM {cells.view(projection.name)} "
        "AS t WHERE t.workspace = %(workspace)s AND t.total = %(total)s AND t.grain = %(grain)s",
        total=total.name,
        grain=MONTH,
    )
    return found if found["begin"] is not None else None


async def rows(reads: Reads, projection: Projection[Any], query: str, **parameters: Any) -> list[Row]:
    try:
        return await reads.rows(query, **parameters)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise Unavailable(
            f"The totals of {projection.name} are not counted yet: the read model of this release is being built, as "
            "`crm doctor` shows. Nothing was read; try again later."
        ) from None
