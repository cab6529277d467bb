"""How far a subscriber has been told: as opaque text it is the cursor that every message carries."""

from collections.abc import Mapping
from typing import NamedTuple

from api.errors import BadCursor
from api.live.positions import BEGINNING, Places, as_places, sealed, unsealed
from crm.topics import JOURNAL

At = Mapping[int, int]  # where a change lies in the journal: the next position of each partition that its batch touched


class Standing(NamedTuple):
    """All that happened before `safe` was told; and, up to `until`, what happened to the keys up to `key`.

    The second half is for a client that is cut off between two messages of one batch: these go out in key order.
    """

    safe: Places
    until: Places | None = None
    key: str = ""

    def has(self, key: str, at: At) -> bool:
        """The client knows what this change did to the row."""
        return covers(self.safe, at) or (self.until is not None and key <= self.key and covers(self.until, at))

    def cursor(self, workspace: str, projection: str) -> str:
        """Good for this workspace's rows of this projection only."""
        return sealed(self.safe if self.until is None else self, f"{workspace}/{projection}")


def standing(text: str, workspace: str, projection: str) -> Standing:
    """Of a cursor, of the `position` in a query's `extensions.freshness`, or "0". Raises BadCursor."""
    if text == "0":
        return Standing(BEGINNING)
    if ":" in text:
        return Standing(position(text))
    told = unsealed(text, f"{workspace}/{projection}")
    if isinstance(told, list) and len(told) == len(Standing._fields):
        safe, until, key = told
        return Standing(as_places(safe), as_places(until), str(key))
    return Standing(as_places(told))


def position(text: str) -> Places:
    """Of "0:17,1:4,…" with every partition. Raises BadCursor."""
    try:
        pairs = {int(p): int(next) for p, _, next in (part.partition(":") for part in text.split(","))}
        return tuple(pairs[p] for p in range(JOURNAL.partitions))
    except (ValueError, LookupError):
        raise BadCursor(
            f"This position does not name all {JOURNAL.partitions} partitions. "
            "Give `position` out of a query's `extensions.freshness`, or a `cursor`."
        ) from None


def covers(places: Places, at: At) -> bool:
    return all(places[partition] >= next for partition, next in at.items())


def moved(places: Places, at: At) -> Places:
    """Never back."""
    return tuple(max(next, at.get(partition, 0)) for partition, next in enumerate(places))
