"""Targets of a replay: Parquet, CSV and DuckDB files, written under a temporary name and renamed when complete."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from crm.adapters.archive.manifest import settle
from crm.projection import Projection
from streams.replay.extras import require_package

FRACTION = re.compile(r"\d[.eE]")  # may be a number that is no integer
Rows = Mapping[str, tuple[Projection[Any], pl.LazyFrame]]  # by the projection's name


class Target(Protocol):
    """Where the rows of a replay go."""

    @property
    def folder(self) -> Path:
        """The folder on whose disk the parts wait."""

    def write(self, rows: Rows) -> None:
        """Writes all rows, or nothing visible."""

    def place(self, name: str) -> str:
        """Returns where a projection's rows are, for people."""


class FileTarget:
    """Writes one file a projection. `out`: a file for one projection, a folder for several."""

    ending = ""

    def __init__(self, projections: Sequence[Projection[Any]], out: Path | None) -> None:
        names = [projection.name for projection in projections]
        if out and len(names) == 1 and not out.is_dir():
            self.folder, self.paths = out.absolute().parent, {names[0]: out.absolute()}
        else:
            self.folder = (out or Path()).absolute()
            self.paths = {name: self.folder / f"{name}{self.ending}" for name in names}

    def write(self, rows: Rows) -> None:
        ready = {}
        try:
            for name, (_, frame) in rows.items():
                path = self.paths[name]
                ready[path] = path.with_name(f".{path.name}.partial")
                self.put(frame, ready[path])
            for path, partial in ready.items():
                with partial.open("rb") as file:
                    os.fsync(file.fileno())
                partial.rename(path)
            settle(self.folder)
        finally:
            for partial in ready.values():
                partial.unlink(missing_ok=True)

    def place(self, name: str) -> str:
        return str(self.paths[name])

    def put(self, frame: pl.LazyFrame, path: Path) -> None:
        """Writes one file."""
        raise NotImplementedError


class ParquetTarget(FileTarget):
    ending = ".parquet"

    def put(self, frame: pl.LazyFrame, path: Path) -> None:
        frame.sink_parquet(path, compression="zstd", compression_level=1)


class CsvTarget(FileTarget):
    """Writes lists as JSON text, as CSV has no lists."""

    ending = ".csv"

    def put(self, frame: pl.LazyFrame, path: Path) -> None:
        lists = [name for name, kind in frame.collect_schema().items() if kind == pl.List(pl.String)]
        frame.with_columns(as_json(name) for name in lists).sink_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")


def as_json(name: str) -> pl.Expr:
    """Encodes a list column as JSON text."""
    encoded = pl.struct(pl.col(name).alias("v")).struct.json_encode()
    return encoded.str.strip_prefix('{"v":').str.strip_suffix("}").alias(name)


def exact_json(name: str) -> pl.Expr:
    """Makes texts of the numbers in a JSON column that are no integers."""
    return pl.col(name).map_elements(with_texts, pl.String)


def with_texts(text: str) -> str:
    if not FRACTION.search(text):
        return text
    return json.dumps(json.loads(text, parse_float=str), ensure_ascii=False, separators=(",", ":"))


class DuckDbTarget:
    """Writes one table a projection in one transaction. Other tables of an existing database stay.

    Columns have exact types: sums of BIGINT are HUGEINT. DuckDB reads numbers with a point or an exponent inside JSON
    as doubles, so there they are texts: `(fields->>'price')::DECIMAL(18, 2)` is exact.
    """

    def __init__(self, projections: Sequence[Projection[Any]], out: Path | None) -> None:
        self.duckdb = require_package("duckdb")
        require_package("pyarrow")
        self.path = (out or Path(f"{projections[0].name}.duckdb")).absolute()
        self.folder = self.path.parent

    def write(self, rows: Rows) -> None:
        new = not self.path.exists()
        path = self.path.with_name(f".{self.path.name}.partial") if new else self.path
        try:
            with self.duckdb.connect(str(path)) as conn:
                conn.execute("BEGIN")
                for name, (projection, frame) in rows.items():
                    exact = [exact_json(name) for name in projection.json_columns]
                    conn.register("replayed", frame.with_columns(exact).collect().to_arrow())
                    typed = [f"CAST({c} AS JSON) AS {c}" for c in projection.json_columns]
                    chosen = f"* REPLACE ({', '.join(typed)})" if typed else "*"
                    conn.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT {chosen} FROM replayed')
                    conn.unregister("replayed")
                conn.execute("COMMIT")
            if new:
                path.rename(self.path)
                settle(self.folder)
        except self.duckdb.Error as error:
            raise OSError(f"{self.path}: {error}") from None
        finally:
            if new:
                path.unlink(missing_ok=True)
                path.with_name(f"{path.name}.wal").unlink(missing_ok=True)

    def place(self, name: str) -> str:
        return f"{self.path}, table {name}"


TARGETS: dict[str, Callable[[Sequence[Projection[Any]], Path | None], Target]] = {
    "parquet": ParquetTarget,
    "csv": CsvTarget,
    "duckdb": DuckDbTarget,
}
