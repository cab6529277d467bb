"""Intermediate rows of a replay: Arrow files next to the target, one series a partition."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.write.sink import Key, RowBatch
from streams.replay import columns
from streams.replay.disk import WRITE_ERRORS, not_written
from streams.replay.spill import Spill

FILE_ROWS = 100_000


class PartsSink:
    """Takes the rows of one projection in one partition. A streams.rebuild.write.sink.Sink."""

    def __init__(self, folder: Path, projection: Projection[Any], partition: int) -> None:
        self.folder, self.projection, self.partition = folder, projection, partition
        self.waiting: list[pl.DataFrame] = []
        self.count = self.files = 0
        self.spill: Spill | None = None

    def write(self, rows: RowBatch) -> None:
        if rows:
            self.waiting.append(columns.frame(self.projection, rows))
            self.count += len(rows)
            if self.count >= FILE_ROWS:
                self.flush()

    def flush(self) -> None:
        """Writes the waiting rows to the next file. Raises NotWritten."""
        if self.waiting:
            path = self.folder / f"{self.projection.name}-{self.partition:05}-{self.files:05}.arrow"
            try:
                pl.concat(self.waiting).write_ipc(path)
            except WRITE_ERRORS as error:
                raise not_written(error, self.folder.parent) from None
            self.files += 1
            self.waiting, self.count = [], 0

    def evict(self, rows: RowBatch) -> None:
        with self.disk_errors():
            if self.spill is None:
                path = self.folder / f"{self.projection.name}-{self.partition:05}.aside"
                self.spill = Spill(path, self.projection.key)
            self.spill.put(rows)

    def restore(self, keys: Iterable[Key]) -> RowBatch:
        with self.disk_errors():
            return self.spill.take(keys) if self.spill else []

    def finish(self) -> None:
        with self.disk_errors():
            for batch in self.spill.rest() if self.spill else ():
                self.write(batch)
        self.flush()

    @contextmanager
    def disk_errors(self) -> Iterator[None]:
        """Raises NotWritten when evicted rows cannot be written."""
        try:
            yield
        except sqlite3.Error as error:
            raise not_written(error, self.folder.parent) from None


def scan(folder: Path, projection: Projection[Any]) -> pl.LazyFrame:
    """Returns all rows, partition after partition."""
    files = sorted(folder.glob(f"{projection.name}-*.arrow"))
    if not files:
        return pl.DataFrame(schema=columns.schema(projection)).lazy()
    return pl.scan_ipc(files)


def check_keys(rows: pl.LazyFrame, projection: Projection[Any]) -> None:
    """Raises Malformed when a key has rows of two partitions, each folded from only a part of its events."""
    pair = [columns.WORKSPACE, projection.key]
    twice = rows.group_by(pair).len().filter(pl.col("len") > 1).head(1).collect()
    if twice.height:
        raise Malformed(
            f"The row {twice[projection.key][0]!r} of {projection.name} is folded from events of several journal "
            "partitions, whose relative order is unknown. Nothing was written. Fold one row a stream or an event "
            f"(key: deal_id, contact_id, entry_id …) and aggregate by {projection.key} in the table."
        )
