"""Folds what was decoded, in the order of positions, and keeps the rows."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import polars as pl
from msgspec.structs import astuple

from crm.contract.codec import decode
from crm.envelope import Event, Row
from crm.errors import Broken
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.fold.decoder import Decoded, listed
from streams.rebuild.fold.field_pruning import UnreadField
from streams.rebuild.fold.time_limit import Endless, limited, line_of
from streams.rebuild.read.source import Slab
from streams.rebuild.write.sink import Key, Lot, Sink

LOT = 20_000  # rows that are written at once
OVERHEAD = 300  # bytes of a key and its place in a dict


class Aside:
    """Which keys may have been set aside: a Bloom filter, as a set of millions of keys would need room itself."""

    BITS = 1 << 26  # 8 MB: one of a hundred new keys is looked up in vain when there are 7,000,000

    def __init__(self) -> None:
        self.bits = bytearray()
        self.number = 0  # rows that are there now, but for those that were taken back

    def places(self, key: Key) -> Iterator[int]:
        told = hash(key)
        return ((told >> shift) % self.BITS for shift in (0, 13, 27, 37))

    def add(self, keys: Sequence[Key]) -> None:
        self.bits = self.bits or bytearray(self.BITS >> 3)
        self.number += len(keys)
        for key in keys:
            for place in self.places(key):
                self.bits[place >> 3] |= 1 << (place & 7)

    def __bool__(self) -> bool:
        return bool(self.bits)

    def __contains__(self, key: Key) -> bool:
        return all(self.bits[place >> 3] & 1 << (place & 7) for place in self.places(key))


def wrong(row: object, kind: type[Row]) -> TypeError:
    return TypeError(f"it gives {row!r:.80}, which is no {kind.__name__}")


class FoldFailed(Broken):
    """A fold cannot be used: it raises, loops or gives something that is no row."""


def runs(projection: Projection[Any], found: Iterable[Decoded]) -> pl.DataFrame:
    """Workspace, key and places in their order, of each row that these events are about.

    Its key is as `Projection.key_of` gives it.
    """
    parts = []
    for part in found:
        columns = part.columns
        keys = columns[projection.key if projection.key in columns else "meta.id"]
        missing = keys.is_null() | (keys == "")
        if missing.any():
            if "meta.id" not in columns:
                raise UnreadField("an event without a key is known by its id, which was not decoded")
            keys = keys.zip_with(~missing, columns["meta.id"])
        named = {"workspace": columns["meta.workspace"], "key": keys, "place": part.places}
        parts.append(pl.DataFrame(named))
    if not parts:
        return NOTHING
    return pl.concat(parts).sort("place").group_by("workspace", "key", maintain_order=True).agg("place")


NOTHING = pl.DataFrame(schema={"workspace": pl.String, "key": pl.String, "place": pl.List(pl.UInt32)})


class Fold:
    """Rows of one projection. `kept`: those that a later event may still change, `budget` bytes of them at most."""

    def __init__(self, projection: Projection[Any], sink: Sink, budget: int = 1 << 30) -> None:
        self.projection, self.sink, self.budget = projection, sink, budget
        self.kept: dict[Key, Row] = {}
        self.aside = Aside()
        self.rows = 0  # written
        self.kinds = set(projection.handles)
        self.own_rows = not projection.needs_row and all(
            projection.key not in kind.__struct_fields__ for kind in projection.handles
        )  # each event makes a row of its own, which no other changes

    def take(self, slab: Slab, found: Sequence[Decoded]) -> None:
        """Raises FoldFailed with the event and the line of the fold's file."""
        mine = [part for part in found if part.kind in self.kinds]
        if self.own_rows:
            made: dict[int, tuple[Id, Row]] = {}
            for part in mine:
                made |= self.each(slab, part)
            self.finished([made[place] for place in sorted(made)])
        else:
            told = runs(self.projection, mine)
            keys = list(zip(listed(told["workspace"]), told["key"].to_list(), strict=True))
            if self.aside:
                self.take_back(keys)
            events = dict(chain.from_iterable(zip(part.places.to_list(), part.events, strict=True) for part in mine))
            self.fold(slab, zip(keys, told["place"].to_list(), strict=True), events)
            self.make_room()

    def finished(self, rows: Lot) -> None:
        self.sink.write(rows)
        self.rows += len(rows)

    def each(self, slab: Slab, part: Decoded) -> dict[int, tuple[Id, Row]]:
        """What a fold makes that never looks at an earlier row, by place."""
        fold: Callable[[None, Event], Any] = self.projection.fold
        kind = self.projection.row
        made: dict[int, tuple[Id, Row]] = {}
        place = 0
        with self.blaming(lambda: (slab, place)):
            for place, workspace, event in zip(
                part.places.to_list(), listed(part.columns["meta.workspace"]), part.events, strict=True
            ):
                row = fold(None, event)
                if type(row) is kind:
                    made[place] = workspace, row
                elif row is not None:
                    raise wrong(row, kind)
        return made

    def fold(self, slab: Slab, told: Iterable[tuple[Key, list[int]]], events: Mapping[int, Event]) -> None:
        """Row by row: all that happened to it in this slab."""
        fold: Callable[[Row | None, Event], Any] = self.projection.fold
        kind, kept, known = self.projection.row, self.kept, self.kept.get
        place = 0
        with self.blaming(lambda: (slab, place)):
            for key, places in told:
                row = before = known(key)
                for place in places:  # told when it fails
                    row = fold(row, events[place])
                    if type(row) is not kind and row is not None:
                        raise wrong(row, kind)
                if row is not None:
                    kept[key] = row
                elif before is not None:
                    del kept[key]

    @contextmanager
    def blaming(self, at: Callable[[], tuple[Slab, int]]) -> Iterator[None]:
        """`at`: the slab and the place in it that the fold is at."""
        try:
            with limited():
                yield
        except UnreadField:
            raise
        except Exception as error:
            raise self.failed(error, *at()) from error

    def take_back(self, keys: Iterable[Key]) -> None:
        wanted = {key for key in keys if key not in self.kept and key in self.aside}
        if wanted:
            for workspace, row in self.sink.take_back(wanted):
                self.kept[workspace, getattr(row, self.projection.key)] = row
                self.aside.number -= 1

    def make_room(self) -> None:
        """Past the budget the older half is set aside: cards that were born long ago are seldom touched."""
        if self.kept and len(self.kept) * self.size() > self.budget:
            old = list(islice(self.kept, len(self.kept) // 2 or 1))
            self.sink.set_aside([(key[0], self.kept.pop(key)) for key in old])
            self.aside.add(old)

    def size(self) -> int:
        """Bytes of a row with its key, as a few of them are."""
        some = list(islice(self.kept.values(), 50))
        return OVERHEAD + sum(sys.getsizeof(row) + sum(map(sys.getsizeof, astuple(row))) for row in some) // len(some)

    def finish(self) -> None:
        """No more events of these keys come."""
        kept = [(key[0], row) for key, row in self.kept.items()]
        self.kept = {}
        for n in range(0, len(kept), LOT):
            self.finished(kept[n : n + LOT])
        self.sink.finish()
        self.rows += self.aside.number
        self.aside = Aside()

    def failed(self, error: Exception, slab: Slab, place: int) -> FoldFailed:
        """In a sentence: which event, which line."""
        name = self.projection.name
        event: Event = decode(slab.values[place])
        code = self.projection.fold.__code__
        line = line_of(error, code.co_filename)
        at = f", line {line}" if line else ""
        said = str(error) if isinstance(error, Endless | TypeError) else repr(error)
        return FoldFailed(
            f"The fold of {name} ({code.co_filename}{at}) cannot take {type(event).__name__} {event.meta.id}, "
            f"position {slab.first + place} of journal partition {slab.partition}: {said}. "
            "Nothing was swapped; the present rows go on being served. Mend the fold and run it again."
        )
