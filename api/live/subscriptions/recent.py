"""Remembers which rows changed recently, so that a short disconnect is caught up without reading the journal."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from api.live.positions import Positions
from api.live.subscriptions.resume_cursor import ChangePositions, ResumeCursor, covers, moved

KEPT = 100_000  # rows, of all workspaces
Pair = tuple[str, str]  # projection and workspace


class Recent:
    """Each row once, with the positions of its last change. Complete from `complete_from` on."""

    def __init__(self) -> None:
        self.complete_from: dict[str, Positions] = {}  # by projection
        # The pair that changed last is the last.
        self.rows: OrderedDict[Pair, dict[str, ChangePositions]] = OrderedDict()
        self.count = 0

    def begin(self, progress: dict[str, Positions]) -> None:
        self.complete_from = dict(progress)
        self.rows.clear()
        self.count = 0

    def add(self, pair: Pair, keys: Iterable[str], at: ChangePositions) -> None:
        rows = self.rows.setdefault(pair, {})
        self.rows.move_to_end(pair)
        self.count -= len(rows)
        for key in keys:
            rows[key] = {**rows.get(key, {}), **at}
        self.count += len(rows)
        while self.count > KEPT:
            self.drop()

    def drop(self) -> None:
        """Drops the pair whose last change is the oldest."""
        (projection, _), rows = self.rows.popitem(last=False)
        self.count -= len(rows)
        for at in rows.values():
            self.complete_from[projection] = moved(self.complete_from[projection], at)

    def changed(self, pair: Pair, key: str | None, cursor: ResumeCursor) -> Iterator[tuple[str, ChangePositions]]:
        rows = self.rows.get(pair, {})
        wanted = rows if key is None else [key] if key in rows else []
        return ((k, rows[k]) for k in wanted if not cursor.has(k, rows[k]))

    def reaches(self, projection: str, cursor: ResumeCursor) -> bool:
        return covers(cursor.safe, dict(enumerate(self.complete_from[projection])))
