"""The lowest and the highest amount of each group of a total: the ends of an index, read when they are asked for.

They are not kept, as a maximum cannot be taken from.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from api.errors import BadInput
from api.schema.names import camel
from api.sql.reads import Reads
from crm import indexes
from crm.projection import Projection

Row = dict[str, Any]
ENDS = {"min": "", "max": " DESC"}


@cache
def columns(projection: Projection[Any]) -> tuple[str, ...]:
    """Returns the summed amounts of which an index has the ends."""
    return tuple(name for name in projection.summed if groups(projection, name))


def groups(projection: Projection[Any], column: str) -> list[tuple[str, ...]]:
    """Returns the groups within which an index has the amounts in their order."""
    order = "currency", column
    return [index.filters for index in indexes.indexes(projection) if index.order == order]


def field(column: str, end: str) -> str:
    """Returns the name of the field, such as amount_min."""
    return f"{column.removesuffix('_minor')}_{end}"


def refuse_others(projection: Projection[Any], by: Sequence[str], filters: Sequence[str], timed: bool) -> None:
    """Raises BadInput when no index has the ends of what is asked for."""
    for column in columns(projection):
        there = groups(projection, column)
        if timed or not set(filters) <= set(by) or set(by) not in map(set, there):
            names = " or ".join(f"`{camel(field(column, end))}`" for end in ENDS)
            served = " or ".join(" and ".join(f"`{camel(name)}`" for name in one) or "nothing" for one in there)
            raise BadInput(
                f"No index has {names} of this total. Nothing was read. They are served by {served}, without a time, "
                "and with filters by the groups only."
            )


def statement(projection: Projection[Any], by: Sequence[str], column: str) -> str:
    """Returns the statement. Parameters: an array for each group, and one of the currencies, all of one length."""
    kinds = {c.name: c.type for c in projection.columns}
    named = [*by, "currency"]
    given = ", ".join(f"%({name})s::{kinds[name]}[]" for name in named)
    same = "".join(f" AND r.{name} = g.{name}" for name in named)
    rows = f"SELECT r.{column} FROM read.{projection.name} AS r WHERE r.workspace = %(workspace)s{same}"
    ends = ", ".join(f"({rows} ORDER BY r.{column}{way} LIMIT 1) AS {end}" for end, way in ENDS.items())
    return f"SELECT {ends} FROM unnest({given}) WITH ORDINALITY AS g({', '.join(named)}, n) ORDER BY g.n"


async def add(reads: Reads, projection: Projection[Any], by: Sequence[str], found: Sequence[Row]) -> None:
    """Adds the ends to the rows of a total, one for each group and currency."""
    given = {name: [row[name] for row in found] for name in (*by, "currency")}
    for column in columns(projection):
        ends = await reads.rows(statement(projection, by, column), **given)
        for row, both in zip(found, ends, strict=True):
            row |= {field(column, end): both[end] for end in ENDS}
