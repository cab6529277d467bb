"""Which rows a subscription follows: those whose indexed columns have given values."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

Values = Mapping[str, Any]  # of the followed columns of one row, by name
UNKNOWN: Values = {}  # which values a row had is not known, so it may have had any


class RowFilter(NamedTuple):
    """`wanted`: for each column the values of which a row must have one."""

    wanted: tuple[tuple[str, frozenset[Any]], ...]

    def matches(self, values: Values) -> bool:
        """Tells whether a row with these values is followed; a column that is not among them counts as fulfilled."""
        return all(column not in values or has_one(values[column], wanted) for column, wanted in self.wanted)


def has_one(value: Any, wanted: frozenset[Any]) -> bool:
    """Tells whether a value, or one of several, is wanted."""
    return not wanted.isdisjoint(value) if isinstance(value, (list, tuple)) else value in wanted


def filter_from(given: Values) -> Values:
    """Returns values as `RowFilter` compares them: ids as text."""
    return {name: str(value) if isinstance(value, UUID) else value for name, value in given.items()}
