"""Which rows changed lately: whoever comes back after a short cut is served from here, without reading the journal."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from api.live.positions import Places
from api.live.subscriptions.resume_cursor import At, Standing, covers, moved

KEPT = 100_000  # rows, of all workspaces
Pair = tuple[str, str]  # projection and workspace


class Recent:
    """Each row once, with where it changed last. From `begun` on nothing is missing."""

    def __init__(self) -> None:
        self.begun: dict[str, Places] = {}  # by projection
        self.rows: OrderedDict[Pair, dict[str, At]] = OrderedDict()  # the pair that changed last is the last
        self.count = 0

    def begin(self, reached: dict[str, Places]) -> None:
        self.begun = dict(reached)
        self.rows.clear()
        self.count = 0

    def add(self, pair: Pair, keys: Iterable[str], at: At) -> None:
        rows = self.rows.setdefault(pair, {})
        self.rows.move_to_end(pair)
        self.count -= len(rows)
        for key in keys:
            rows[key] = {**rows.get(key, {}), **at}
        self.count += len(rows)
        while self.count > KEPT:
            self.drop()

    def drop(self) -> None:
        """The pair that has been still for longest."""
        (projection, _), rows = self.rows.popitem(last=False)
        self.count -= len(rows)
        for at in rows.values():
            self.begun[projection] = moved(self.begun[projection], at)

    def changed(self, pair: Pair, key: str | None, standing: Standing) -> Iterator[tuple[str, At]]:
        rows = self.rows.get(pair, {})
        wanted = rows if key is None else [key] if key in rows else []
        return ((k, rows[k]) for k in wanted if not standing.has(k, rows[k]))

    def reaches(self, projection: str, standing: Standing) -> bool:
        return covers(standing.safe, dict(enumerate(self.begun[projection])))
