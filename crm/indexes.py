"""What the declared indexes of a projection serve: the filters, the orders, and which of both go together."""

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from crm.projection import Projection

ORDERED = {"timestamptz", "bigint"}  # people read by these; all else is looked up

LOOKED_UP = 200  # characters of a text that an index without order holds


class Index(NamedTuple):
    """`filters` are compared for equality, or `contains` is asked of the one there is; rows come in `order`."""

    filters: tuple[str, ...]
    order: tuple[str, ...]
    contains: bool = False


@cache
def indexes(projection: Projection[Any]) -> tuple[Index, ...]:
    """Returns them as declared: "stage, touched_at" filters by the one and orders by the other.

    An amount is ordered within its currency: "stage, currency, amount_minor" filters by stage alone.
    """
    columns = {c.name: c for c in projection.columns}
    found = []
    for declared in projection.indexes:
        names = tuple(name.strip() for name in declared.split(","))
        cut = next(
            (n for n, name in enumerate(names) if columns[name].type in ORDERED or columns[name].sorts), len(names)
        )
        if cut and names[cut - 1] == "currency" and cut < len(names):
            cut -= 1
        kind = columns[names[0]].type
        found.append(Index(names[:cut], names[cut:], kind == "jsonb" or kind.endswith("[]")))
    return tuple(found)


def filters(projection: Projection[Any]) -> list[str]:
    """Returns the columns that an index looks up, in the order of the declarations."""
    return list(dict.fromkeys(name for index in indexes(projection) for name in index.filters))


def orders(projection: Projection[Any]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(index.order for index in indexes(projection) if index.order))


def served(
    projection: Projection[Any], order: tuple[str, ...], equal: Collection[str], ranges: Collection[str] = ()
) -> bool:
    """Tells whether a page in this order, with these columns compared, is read without reading many other rows."""
    return exact(projection, order, equal, ranges) is not None or few(projection, equal)


def exact(
    projection: Projection[Any], order: tuple[str, ...], equal: Collection[str], ranges: Collection[str] = ()
) -> Index | None:
    """Returns the index that gives exactly the rows with these values, in this order.

    `equal`: columns compared for equality; `ranges`: columns compared otherwise. A range is served on the first column
    of the order that is not compared for equality.
    """
    for index in indexes(projection):
        rest = set(equal) - set(index.filters)
        if index.order != order or not set(index.filters) <= set(equal):
            continue
        free = list(order)
        while free and free[0] in rest:
            rest.discard(free.pop(0))
        if not rest and set(ranges) <= set(free[:1]):
            return index
    return None


def few(projection: Projection[Any], equal: Collection[str]) -> bool:
    """Tells whether one of these look-ups finds few rows, so that all of them can be read, filtered and sorted."""
    return not finding_few(projection).isdisjoint(equal)


@cache
def finding_few(projection: Projection[Any]) -> frozenset[str]:
    """Returns the columns of which a value is in few rows: references to a row, and what an index without order has."""
    uuids = {c.name for c in projection.columns if c.type == "uuid"}
    singles = (index for index in indexes(projection) if len(index.filters) == 1)
    return frozenset(index.filters[0] for index in singles if not index.order or index.filters[0] in uuids)


@cache
def custom_fields(projection: Projection[Any]) -> str:
    """Returns the column with custom fields, by whose values rows are also sorted; empty when there is none."""
    types = {c.name: c.type for c in projection.columns}
    return next((name for name in projection.indexes if types.get(name) == "jsonb" and held_still(projection)), "")


@cache
def held_still(projection: Projection[Any]) -> str:
    """Returns the time by which rows are read and that no change of a row moves; empty when there is none."""
    return next((order[0] for order in orders(projection) if order[0] in ("opened_at", "created_at")), "")


def looked_up(column: str) -> str:
    """Returns the condition of rows that an index of a single text has; a query repeats it.

    An index row holds 2,704 bytes.
    """
    return f"{column} <> '' AND length({column}) <= {LOOKED_UP}"


def followed(projection: Projection[Any]) -> tuple[str, ...]:
    """Columns by whose values a subscription can be filtered: those that an index looks up, but for jsonb."""
    types = {column.name: column.type for column in projection.columns}
    return tuple(name for name in filters(projection) if types[name] != "jsonb")
