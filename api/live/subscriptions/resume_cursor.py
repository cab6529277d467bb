"""The position up to which a subscriber has received changes. As opaque text it is the cursor of every message."""

from collections.abc import Mapping
from typing import NamedTuple

from api.errors import BadCursor
from api.live.positions import BEGINNING, Positions, as_positions, seal, unseal
from crm.topics import JOURNAL

ChangePositions = Mapping[int, int]  # of a change: the next position of each partition in its batch


class ResumeCursor(NamedTuple):
    """Every change before `safe` was sent, and every change before `until` of the keys up to `key`.

    The second part is for a client that disconnects between two messages of one batch, which are sent in key order.
    """

    safe: Positions
    until: Positions | None = None
    key: str = ""

    def has(self, key: str, at: ChangePositions) -> bool:
        """Tells whether the client has received this change of the row."""
        return covers(self.safe, at) or (self.until is not None and key <= self.key and covers(self.until, at))

    def encode(self, workspace: str, projection: str) -> str:
        """Returns the cursor as text, valid for this workspace and projection only."""
        return seal(self.safe if self.until is None else self, f"{workspace}/{projection}")


def decode(text: str, workspace: str, projection: str) -> ResumeCursor:
    """Reads a cursor, the `position` in a query's `extensions.freshness`, or "0". Raises BadCursor."""
    if text == "0":
        return ResumeCursor(BEGINNING)
    if ":" in text:
        return ResumeCursor(position(text))
    value = unseal(text, f"{workspace}/{projection}")
    if isinstance(value, list) and len(value) == len(ResumeCursor._fields):
        safe, until, key = value
        return ResumeCursor(as_positions(safe), as_positions(until), str(key))
    return ResumeCursor(as_positions(value))


def position(text: str) -> Positions:
    """Reads "0:17,1:4,…", which must name every partition. Raises BadCursor."""
    try:
        pairs = {int(p): int(next) for p, _, next in (part.partition(":") for part in text.split(","))}
        return tuple(pairs[p] for p in range(JOURNAL.partitions))
    except (ValueError, LookupError):
        raise BadCursor(
            f"This position does not name all {JOURNAL.partitions} partitions. "
            "Send the `position` of a query's `extensions.freshness`, or a `cursor`."
        ) from None


def covers(positions: Positions, at: ChangePositions) -> bool:
    """Tells whether a reader at these positions has passed the change."""
    return all(positions[partition] >= next for partition, next in at.items())


def moved(positions: Positions, at: ChangePositions) -> Positions:
    """Returns the positions moved past the change, never back."""
    return tuple(max(next, at.get(partition, 0)) for partition, next in enumerate(positions))
