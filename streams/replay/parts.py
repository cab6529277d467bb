"""Rows on their way: Arrow files beside the target, each partition's one after the other."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.write.sink import Key, Lot
from streams.replay import columns
from streams.replay.disk import ERRORS, no_room
from streams.replay.spill import Spill

ENOUGH = 100_000  # rows of one file


class PartsSink:
    """The rows of one projection in one partition. A streams.rebuild.write.sink.Sink."""

    def __init__(self, folder: Path, projection: Projection[Any], partition: int) -> None:
        self.folder, self.projection, self.partition = folder, projection, partition
        self.waiting: list[pl.DataFrame] = []
        self.count = self.files = 0
        self.spill: Spill | None = None

    def write(self, rows: Lot) -> None:
        if rows:
            self.waiting.append(columns.frame(self.projection, rows))
            self.count += len(rows)
            if self.count >= ENOUGH:
                self.flush()

    def flush(self) -> None:
        if self.waiting:
            path = self.folder / f"{self.projection.name}-{self.partition:05}-{self.files:05}.arrow"
            try:
                pl.concat(self.waiting).write_ipc(path)
            except ERRORS as error:
                raise no_room(error, self.folder.parent) from None
            self.files += 1
            self.waiting, self.count = [], 0

    def set_aside(self, rows: Lot) -> None:
        with self.kept():
            if self.spill is None:
                path = self.folder / f"{self.projection.name}-{self.partition:05}.aside"
                self.spill = Spill(path, self.projection.key)
            self.spill.put(rows)

    def take_back(self, keys: Iterable[Key]) -> Lot:
        with self.kept():
            return self.spill.take(keys) if self.spill else []

    def finish(self) -> None:
        with self.kept():
            for lot in self.spill.rest() if self.spill else ():
                self.write(lot)
        self.flush()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Raises NotWritten when the disk does not take what memory has no room for."""
        try:
            yield
        except sqlite3.Error as error:
            raise no_room(error, self.folder.parent) from None


def scan(folder: Path, projection: Projection[Any]) -> pl.LazyFrame:
    """All rows: each partition's in its order, the partitions one behind the other."""
    files = sorted(folder.glob(f"{projection.name}-*.arrow"))
    if not files:
        return pl.DataFrame(schema=columns.schema(projection)).lazy()
    return pl.scan_ipc(files)


def check_keys(rows: pl.LazyFrame, projection: Projection[Any]) -> None:
    """Raises Malformed when one key has rows of two partitions: each has seen only a part of its events."""
    pair = [columns.WORKSPACE, projection.key]
    twice = rows.group_by(pair).len().filter(pl.col("len") > 1).head(1).collect()
    if twice.height:
        raise Malformed(
            f"The row {twice[projection.key][0]!r} of {projection.name} is folded from events of several journal "
            "partitions, whose order among each other nobody knows. Nothing was written. Fold one row a stream or an "
            f"event (key: deal_id, contact_id, entry_id …) and add up by {projection.key} in the table."
        )
