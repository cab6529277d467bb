"""Folds what was decoded, in the order of positions, and keeps the rows."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import astuple

from crm.codec import decode
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


Slots = list[Any]  # by place in the slab; None where there is nothing for this projection


def keys_of(projection: Projection[Any], slab: Slab, found: Iterable[Decoded]) -> tuple[Slots, Slots]:
    """Key and event by place, as `Projection.key_of` gives them."""
    keys: Slots = [None] * len(slab.values)
    events: Slots = [None] * len(slab.values)
    kinds = set(projection.handles)
    for part in found:
        if part.kind in kinds:
            columns = part.columns
            named = columns[projection.key if projection.key in columns else "meta.id"]
            if not all(named):
                if "meta.id" not in columns:
                    raise UnreadField("an event without a key is known by its id, which was not decoded")
                named = [key or id for key, id in zip(named, columns["meta.id"], strict=True)]
            pairs = zip(columns["meta.workspace"], named, strict=True)
            for place, key, event in zip(part.places, pairs, part.events, strict=True):
                keys[place] = key
                events[place] = event
    return keys, events


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
        keys, events = keys_of(self.projection, slab, found)
        if self.aside:
            self.take_back(keys)
        finished = self.fold(slab, keys, events)
        self.sink.write(finished)
        self.rows += len(finished)
        self.make_room()

    def fold(self, slab: Slab, keys: Slots, events: Slots) -> list[tuple[Id, Row]]:
        """Gives the rows that are finished."""
        fold: Callable[[Row | None, Event], Any] = self.projection.fold
        kind = self.projection.row
        rows = self.kept
        known = rows.get
        finished: list[tuple[Id, Row]] = []
        place = -1
        try:
            with limited():
                for place, (key, event) in enumerate(zip(keys, events, strict=True)):  # noqa: B007  # told when it fails
                    if event is None:
                        continue
                    row = fold(None if self.own_rows else known(key), event)
                    if type(row) is not kind:
                        if row is not None:
                            raise TypeError(f"it gives {row!r:.80}, which is no {kind.__name__}")
                        rows.pop(key, None)
                    elif self.own_rows:
                        finished.append((key[0], row))
                    else:
                        rows[key] = row
        except UnreadField:
            raise
        except Exception as error:
            raise self.failed(error, slab, place) from error
        return finished

    def take_back(self, keys: Iterable[Key | None]) -> None:
        wanted = {key for key in keys if key and key not in self.kept and key in self.aside}
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
