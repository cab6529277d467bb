"""Where rows go."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from crm.envelope import Row
from crm.scalars import Id

Key = tuple[Id, Id]  # workspace and the row's key
Lot = Sequence[tuple[Id, Row]]  # workspace and row


class Sink(Protocol):
    """Takes the rows of one projection."""

    def write(self, rows: Lot) -> None:
        """Rows that no later event changes. Raises Broken with the key of one that cannot be written."""

    def set_aside(self, rows: Lot) -> None:
        """Rows that memory has no room for. They belong to the result unless they are taken back."""

    def take_back(self, keys: Iterable[Key]) -> Lot:
        """Those of these that were set aside; here they are forgotten."""

    def finish(self) -> None:
        """All that was written or set aside is kept for good."""
