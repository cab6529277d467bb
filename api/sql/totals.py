"""Reads totals: the declared total that answers a question, and the statement that adds up its cells."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from api.errors import BadInput, TooMuch, Unavailable
from api.schema.names import camel
from api.sql.reads import Reads
from crm import totals
from crm.adapters.postgres import totals as cells
from crm.moments import nearest
from crm.projection import Projection
from crm.totals import ALL, MONTH, Part, Total

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
    fit = [t for t in every if question.columns <= set(t.columns) and question.time in ("", t.time)]
    if not fit:
        wanted = " and ".join(f"`{camel(name)}`" for name in sorted(question.columns)) or "nothing"
        when = f", by `{camel(question.time)}`" if question.time else ""
        there = "; ".join(named(total) for total in every)
        raise BadInput(f"No total of {projection.name} has {wanted}{when}. Nothing was read. There are: {there}.")
    return min(fit, key=lambda total: (bool(total.time), len(total.columns)))


def named(total: Total) -> str:
    columns = ", ".join(camel(name) for name in total.columns)
    return f"{columns}{f' by {camel(total.time)}' if total.time else ''}"


def statement(projection: Projection[Any], by: Sequence[str], filters: Collection[str]) -> str:
    """Returns the statement. Parameters: `total`, one for each filter, and the parts of spans as arrays.

    Each part is one range of the primary key, so only cells that count are read.
    """
    sums = list(cells.numbers(projection))
    kept = [*by, *(["currency"] if totals.in_currencies(projection) else [])]
    grouped = "".join(f"{name}, " for name in kept)
    inner = ", ".join(f"sum(t.{name}) AS {name}" for name in sums)
    outer = ", ".join(f"sum(p.sign * s.{name}) AS {name}" for name in sums)
    chosen = "".join(f" AND t.{name} = ANY (%({name})s)" for name in filters)
    order = ", ".join(str(n + 1) for n in range(len(kept) + 1))
    inside = f"SELECT {grouped}{inner} FROM {cells.view(projection.name)} AS t WHERE t.workspace = %(workspace)s " + (
        f"AND t.total = %(total)s AND t.grain = p.grain AND t.period >= p.begins AND t.period < p.ends{chosen}"
    )
    inside += f" GROUP BY {', '.join(kept)}" if kept else " HAVING count(*) > 0"
    return (
        f"SELECT p.span, {grouped}{outer} FROM unnest(%(spans)s::int[], %(signs)s::int[], %(grains)s::text[], "
        "%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS p(span, sign, grain, begins, ends) "
        f"CROSS JOIN LATERAL ({inside}) AS s GROUP BY {order} HAVING sum(p.sign * s.count) <> 0 "
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
    found = await rows(
        reads,
        projection,
        statement(projection, question.by, question.filters),
        total=total.name,
        spans=[n for n, _ in parts],
        signs=[part.sign for _, part in parts],
        grains=[part.grain for _, part in parts],
        begins=[nearest(part.begin) for _, part in parts],
        ends=[nearest(part.end) for _, part in parts],
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
