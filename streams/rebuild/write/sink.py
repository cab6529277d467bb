"""The interface of a sink, which takes the rows of a fold."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from crm.envelope import Row
from crm.scalars import Id

Key = tuple[Id, Id]  # workspace and the row's key
RowBatch = Sequence[tuple[Id, Row]]  # each with its workspace


class Sink(Protocol):
    """Stores the rows of one projection."""

    def write(self, rows: RowBatch) -> None:
        """Stores rows that no later event changes. Raises Broken with the key of a row that cannot be written."""

    def evict(self, rows: RowBatch) -> None:
        """Stores rows for which memory has no room. They belong to the result unless they are restored."""

    def restore(self, keys: Iterable[Key]) -> RowBatch:
        """Removes and returns those evicted rows that have one of these keys."""

    def finish(self) -> None:
        """Commits all written and evicted rows."""
