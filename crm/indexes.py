"""What the declared indexes of a projection serve: the filters, the orders, and which of both go together."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from crm.projection import Projection

ORDERED = {"timestamptz", "bigint"}  # by which people read; all else is looked up


class Index(NamedTuple):
    """`filters` are compared for equality, or `contains` is asked of the one there is; rows come in `order`."""

    filters: tuple[str, ...]
    order: tuple[str, ...]
    contains: bool = False


def indexes(projection: Projection[Any]) -> list[Index]:
    """As they are declared: "stage, touched_at" filters by the one and orders by the other."""
    types = {c.name: c.type for c in projection.columns}
    found = []
    for declared in projection.indexes:
        names = tuple(name.strip() for name in declared.split(","))
        cut = next((n for n, name in enumerate(names) if types[name] in ORDERED), len(names))
        contains = types[names[0]] == "jsonb" or types[names[0]].endswith("[]")
        found.append(Index(names[:cut], names[cut:], contains))
    return found


def filters(projection: Projection[Any]) -> list[str]:
    """Columns that an index looks up, in the order of the declarations."""
    return list(dict.fromkeys(name for index in indexes(projection) for name in index.filters))


def orders(projection: Projection[Any]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(index.order for index in indexes(projection) if index.order))


def served(projection: Projection[Any], order: tuple[str, ...], given: Collection[str]) -> bool:
    """Whether an index gives rows in this order and by at least one of the filters, so that few rows are looked at."""
    return any(
        index.order == order and (not given if not index.filters else set(index.filters) <= set(given))
        for index in indexes(projection)
    ) or contained(indexes(projection), given)


def contained(known: Iterable[Index], given: Collection[str]) -> bool:
    """What a containment or a look-up without an order finds is few, and sorted in memory."""
    return any(not index.order and set(index.filters) <= set(given) for index in known)
