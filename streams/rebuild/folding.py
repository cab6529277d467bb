"""Folds what was decoded, in the order of positions, and keeps the rows."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from msgspec.structs import astuple

from crm.envelope import Event, Row
from crm.errors import Broken
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.decoder import Decoded
from streams.rebuild.reads import UnreadField
from streams.rebuild.sink import Key, Sink
from streams.rebuild.source import Slab
from streams.rebuild.watch import Endless, limited, line_of

LOT = 20_000  # rows that are written at once
OVERHEAD = 300  # bytes of a key and its place in a dict


class Given(NamedTuple):
    """A slab's events of one projection, in order, and which row each is about."""

    keys: Sequence[Key]
    events: Sequence[Event]
    places: Sequence[int]


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


class FoldFailed(Broken):
    """A fold cannot be used: it raises, loops or gives something that is no row."""


def given(projection: Projection[Any], found: Iterable[Decoded]) -> Given:
    """What of a slab this projection folds."""
    kinds = set(projection.handles)
    places: list[int] = []
    keys: list[Key] = []
    events: list[Event] = []
    parts = 0
    for part in found:
        if part.kind in kinds:
            named = part.columns.get(projection.key, part.columns["meta.id"])
            keys += zip(part.columns["meta.workspace"], named, strict=True)
            places += part.places
            events += part.events
            parts += 1
    if parts > 1:
        order = sorted(range(len(places)), key=places.__getitem__)
        return Given([keys[n] for n in order], [events[n] for n in order], [places[n] for n in order])
    return Given(keys, events, places)


class Fold:
    """Rows of one projection. `kept`: those that a later event may still change, `budget` bytes of them at most."""

    def __init__(self, projection: Projection[Any], sink: Sink, budget: int = 1 << 30) -> None:
        self.projection, self.sink, self.budget = projection, sink, budget
        self.kept: dict[Key, Row] = {}
        self.aside = Aside()
        self.rows = 0  # written
        self.own_rows = not projection.needs_row and all(
            projection.key not in kind.__struct_fields__ for kind in projection.handles
        )  # each event makes a row of its own, which no other changes

    def take(self, slab: Slab, found: Sequence[Decoded]) -> None:
        """Raises FoldFailed with the event and the line of the fold's file."""
        todo = given(self.projection, found)
        if self.aside:
            self.take_back(todo.keys)
        finished = self.fold(slab, todo)
        self.sink.write(finished)
        self.rows += len(finished)
        self.make_room()

    def fold(self, slab: Slab, todo: Given) -> list[tuple[Id, Row]]:
        """Gives the rows that are finished."""
        done = 0
        fold: Callable[[Row | None, Event], Any] = self.projection.fold
        kind = self.projection.row
        rows = self.kept
        finished: list[tuple[Id, Row]] = []
        try:
            with limited():
                if self.own_rows:
                    for key, event in zip(todo.keys, todo.events, strict=True):
                        row = fold(None, event)
                        if type(row) is kind:
                            finished.append((key[0], row))
                        elif row is not None:
                            raise TypeError(f"it gives {row!r:.80}, which is no {kind.__name__}")
                        done += 1
                    return finished
                for key, event in zip(todo.keys, todo.events, strict=True):
                    row = fold(rows.get(key), event)
                    if type(row) is kind:
                        rows[key] = row
                    elif row is None:
                        rows.pop(key, None)
                    else:
                        raise TypeError(f"it gives {row!r:.80}, which is no {kind.__name__}")
                    done += 1
        except UnreadField:
            raise
        except Exception as error:
            raise self.failed(error, slab, todo, done) from error
        return finished

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
            self.sink.write(kept[n : n + LOT])
        self.sink.finish()
        self.rows += len(kept) + self.aside.number
        self.aside = Aside()

    def failed(self, error: Exception, slab: Slab, todo: Given, done: int) -> FoldFailed:
        """In a sentence: which event, which line."""
        name = self.projection.name
        event, place = todo.events[done], todo.places[done]
        code = self.projection.fold.__code__
        line = line_of(error, code.co_filename)
        at = f", line {line}" if line else ""
        said = str(error) if isinstance(error, Endless | TypeError) else repr(error)
        return FoldFailed(
            f"The fold of {name} ({code.co_filename}{at}) cannot take {type(event).__name__} {event.meta.id}, "
            f"position {slab.first + place} of journal partition {slab.partition}: {said}. "
            "Nothing was swapped; the present rows go on being served. Mend the fold and run it again."
        )
