"""Folds decoded events in the order of their positions and holds the rows."""

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
from streams.rebuild.fold.time_limit import FoldTimeout, line_of, work_limit
from streams.rebuild.read.source import Chunk
from streams.rebuild.write.sink import Key, RowBatch, Sink

BATCH_ROWS = 20_000  # written at once
OVERHEAD = 300  # bytes of a key and its dict entry
SERVED = "Nothing was swapped; the present rows are still served."


class EvictedKeys:
    """The keys that may have been evicted: a Bloom filter, as a set of millions of keys would need much memory."""

    BITS = 1 << 26  # 8 MB: with 7,000,000 keys, one lookup in a hundred is in vain

    def __init__(self) -> None:
        self.bits = bytearray()
        self.number = 0  # rows that are evicted now, without the restored ones

    def bits_of(self, key: Key) -> Iterator[int]:
        hashed = hash(key)
        return ((hashed >> shift) % self.BITS for shift in (0, 13, 27, 37))

    def add(self, keys: Sequence[Key]) -> None:
        self.bits = self.bits or bytearray(self.BITS >> 3)
        self.number += len(keys)
        for key in keys:
            for bit in self.bits_of(key):
                self.bits[bit >> 3] |= 1 << (bit & 7)

    def __bool__(self) -> bool:
        return bool(self.bits)

    def __contains__(self, key: Key) -> bool:
        return all(self.bits[bit >> 3] & 1 << (bit & 7) for bit in self.bits_of(key))


def wrong_row(row: object, kind: type[Row]) -> TypeError:
    return TypeError(f"it returns {row!r:.80}, which is not a {kind.__name__}")


class FoldFailed(Broken):
    """A fold raised, did not terminate, or returned something that is not a row."""


def group_by_row(projection: Projection[Any], found: Iterable[Decoded]) -> pl.DataFrame:
    """Groups events by the row they change: workspace, key as in `Projection.key_of`, and ordered places in the chunk.

    Raises UnreadField when a key was not decoded.
    """
    parts = []
    for part in found:
        columns = part.columns
        keys = columns[projection.key if projection.key in columns else "meta.id"]
        missing = keys.is_null() | (keys == "")
        if missing.any():
            if "meta.id" not in columns:
                raise UnreadField("an event without a key is identified by its id, which was not decoded")
            keys = keys.zip_with(~missing, columns["meta.id"])
        named = {"workspace": columns["meta.workspace"], "key": keys, "place": part.places}
        parts.append(pl.DataFrame(named))
    if not parts:
        return NOTHING
    return pl.concat(parts).sort("place").group_by("workspace", "key", maintain_order=True).agg("place")


NOTHING = pl.DataFrame(schema={"workspace": pl.String, "key": pl.String, "place": pl.List(pl.UInt32)})


class Fold:
    """Folds the events of one projection. `kept`: rows that later events may change, at most `budget` bytes of them."""

    def __init__(self, projection: Projection[Any], sink: Sink, budget: int = 1 << 30, unchanged: str = SERVED) -> None:
        """`unchanged`: the sentence on what was kept when the fold fails."""
        self.projection, self.sink, self.budget, self.unchanged = projection, sink, budget, unchanged
        self.kept: dict[Key, Row] = {}
        self.evicted = EvictedKeys()
        self.rows = 0  # written
        self.kinds = set(projection.handles)
        keyed = any(projection.key in kind.__struct_fields__ for kind in projection.handles)
        self.own_rows = not projection.needs_row and not keyed  # no event changes the row of another one

    def take(self, chunk: Chunk, found: Sequence[Decoded]) -> None:
        """Folds the events of a chunk. Raises FoldFailed with the event and the line of the fold's file."""
        mine = [part for part in found if part.kind in self.kinds]
        if self.own_rows:
            made: dict[int, tuple[Id, Row]] = {}
            for part in mine:
                made |= self.fold_independent(chunk, part)
            self.write([made[place] for place in sorted(made)])
        else:
            grouped = group_by_row(self.projection, mine)
            keys = list(zip(listed(grouped["workspace"]), grouped["key"].to_list(), strict=True))
            if self.evicted:
                self.restore(keys)
            events = dict(chain.from_iterable(zip(part.places.to_list(), part.events, strict=True) for part in mine))
            self.fold(chunk, zip(keys, grouped["place"].to_list(), strict=True), events)
            self.make_room()

    def write(self, rows: RowBatch) -> None:
        """Writes rows that no later event changes."""
        self.sink.write(rows)
        self.rows += len(rows)

    def fold_independent(self, chunk: Chunk, part: Decoded) -> dict[int, tuple[Id, Row]]:
        """Folds events that each make their own row. Returns the rows by place."""
        fold: Callable[[None, Event], Any] = self.projection.fold
        kind = self.projection.row
        made: dict[int, tuple[Id, Row]] = {}
        place = 0
        with self.failures_named(lambda: (chunk, place)):
            for place, workspace, event in zip(
                part.places.to_list(), listed(part.columns["meta.workspace"]), part.events, strict=True
            ):
                row = fold(None, event)
                if type(row) is kind:
                    made[place] = workspace, row
                elif row is not None:
                    raise wrong_row(row, kind)
        return made

    def fold(self, chunk: Chunk, grouped: Iterable[tuple[Key, list[int]]], events: Mapping[int, Event]) -> None:
        """Folds row by row: all events of a row in this chunk, in order."""
        fold: Callable[[Row | None, Event], Any] = self.projection.fold
        kind, kept, known = self.projection.row, self.kept, self.kept.get
        place = 0
        with self.failures_named(lambda: (chunk, place)):
            for key, places in grouped:
                row = before = known(key)
                for place in places:  # named by the error
                    row = fold(row, events[place])
                    if type(row) is not kind and row is not None:
                        raise wrong_row(row, kind)
                if row is not None:
                    kept[key] = row
                elif before is not None:
                    del kept[key]

    @contextmanager
    def failures_named(self, at: Callable[[], tuple[Chunk, int]]) -> Iterator[None]:
        """Raises FoldFailed for an error of the fold. `at` returns the chunk and the place of the current event."""
        try:
            with work_limit():
                yield
        except UnreadField:
            raise
        except Exception as error:
            raise self.failed(error, *at()) from error

    def restore(self, keys: Iterable[Key]) -> None:
        """Takes evicted rows of these keys back into memory."""
        wanted = {key for key in keys if key not in self.kept and key in self.evicted}
        if wanted:
            for workspace, row in self.sink.restore(wanted):
                self.kept[workspace, getattr(row, self.projection.key)] = row
                self.evicted.number -= 1

    def make_room(self) -> None:
        """Evicts the older half of the rows past the budget: rows created long ago rarely change."""
        if self.kept and len(self.kept) * self.size() > self.budget:
            old = list(islice(self.kept, len(self.kept) // 2 or 1))
            self.sink.evict([(key[0], self.kept.pop(key)) for key in old])
            self.evicted.add(old)

    def size(self) -> int:
        """Estimates the bytes of a row with its key from a sample."""
        some = list(islice(self.kept.values(), 50))
        return OVERHEAD + sum(sys.getsizeof(row) + sum(map(sys.getsizeof, astuple(row))) for row in some) // len(some)

    def finish(self) -> None:
        """Writes all rows; no more events of these keys come."""
        kept = [(key[0], row) for key, row in self.kept.items()]
        self.kept = {}
        for n in range(0, len(kept), BATCH_ROWS):
            self.write(kept[n : n + BATCH_ROWS])
        self.sink.finish()
        self.rows += self.evicted.number
        self.evicted = EvictedKeys()

    def failed(self, error: Exception, chunk: Chunk, place: int) -> FoldFailed:
        """Returns the error with the event and the line in a sentence."""
        name = self.projection.name
        event: Event = decode(chunk.values[place])
        code = self.projection.fold.__code__
        line = line_of(error, code.co_filename)
        at = f", line {line}" if line else ""
        reason = str(error) if isinstance(error, FoldTimeout | TypeError) else repr(error)
        return FoldFailed(
            f"The fold of {name} ({code.co_filename}{at}) cannot take {type(event).__name__} {event.meta.id}, "
            f"position {chunk.first + place} of journal partition {chunk.partition}: {reason}. "
            f"{self.unchanged} Fix the fold and run it again."
        )
