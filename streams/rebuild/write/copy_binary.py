"""Packs rows for COPY in Postgres's binary format, column by column; columns of fixed width come first.

https://www.postgresql.org/docs/current/sql-copy.html, Binary Format
"""

import struct
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

import polars as pl

from crm.adapters.postgres.binary import EPOCH, FIELDS, NULL, Values
from crm.envelope import Row
from crm.errors import Broken
from crm.projection import Column, Projection
from crm.scalars import Id
from crm.text.phonetics import COLUMN
from streams.rebuild.fold.field_pruning import UnreadField

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


class Packer:
    """Packs the rows of a projection; `columns` is the order of the packed columns."""

    def __init__(self, projection: Projection[Any]) -> None:
        self.projection = projection
        fixed = [c for c in projection.columns if c.required and c.type in FIXED]
        phonetic = [Column(COLUMN, "text", False)] if projection.searched else []
        self.fixed, self.free = fixed, [*(c for c in projection.columns if c not in fixed), *phonetic]
        self.columns = ["workspace", *(c.name for c in (*fixed, *self.free))]
        parts = "".join(FIXED[c.type] for c in fixed)
        self.head = struct.Struct(f">hi16s{parts}")
        self.count = len(self.columns)
        self.values: dict[str, Callable[[Any], Any]] = {c.name: attrgetter(c.name) for c in projection.columns}
        self.values[COLUMN] = projection.phonetic_key

    def pack(self, rows: Sequence[tuple[Id, Row]]) -> bytes:
        """Packs rows, without signature and trailer. Raises Broken with the row and the column that do not fit."""
        if not rows:
            return b""
        plain = [row for _, row in rows]
        try:
            heads: list[Values] = [repeat(self.count), repeat(16), uuids([workspace for workspace, _ in rows])]
            for column in self.fixed:
                given = list(map(self.values[column.name], plain))
                heads += [repeat(WIDTHS[column.type]), FIXED_VALUES[column.type](given)]
            fields: list[Values] = [map(self.head.pack, *heads)]
            fields += [FREE[column.type](list(map(self.values[column.name], plain))) for column in self.free]
            return b"".join(map(b"".join, zip(*fields, strict=False)))
        except UnreadField:
            raise
        except Exception as error:
            raise self.first_misfit(plain, error) from error

    def first_misfit(self, rows: Sequence[Row], error: Exception) -> Broken:
        """Returns the error with the first value that does not fit its column."""
        for row in rows:
            for column in self.projection.columns:
                value = getattr(row, column.name)
                if problem := value_problem(column, value):
                    key = getattr(row, self.projection.key, "?")
                    return Broken(
                        f"{self.projection.name}: {problem} in column {column.name} of row {key}. "
                        "Nothing was swapped. Fix the fold and run it again."
                    )
        return Broken(f"{self.projection.name}: rows cannot be written: {error!r}. Nothing was swapped.")


def value_problem(column: Column, value: Any) -> str:
    """Returns why Postgres would reject this value, or "" when it would not."""
    if value is None:
        return "null where a value is required" if column.required else ""
    try:
        b"".join(FREE[column.type]([value]))
    except Exception as error:
        return f"{value!r:.60} ({error})"
    return ""


def uuids(values: list[str | None]) -> list[Any]:
    """Converts canonical UUID texts to 16 bytes; null stays null. Raises ValueError or polars' error for other text."""
    series = pl.Series(values, dtype=pl.String, strict=True)
    found = series.str.replace_all("-", "", literal=True).str.decode("hex")
    if len(found) and (found.bin.size() != 16).any():
        raise ValueError("an id does not have 32 hexadecimal digits")
    return found.to_list()


def times(values: list[int]) -> Values:
    return map((-EPOCH).__add__, values)


FIXED = {"uuid": "i16s", "bigint": "iq", "timestamptz": "iq", "boolean": "i?"}
WIDTHS = {"uuid": 16, "bigint": 8, "timestamptz": 8, "boolean": 1}
FIXED_VALUES: dict[str, Callable[[list[Any]], Values]] = {
    "uuid": uuids,
    "bigint": iter,
    "timestamptz": times,
    "boolean": iter,
}


def uuid_column(values: Values) -> Values:
    return [NULL if value is None else UUID_SIZE + value for value in uuids(list(values))]


UUID_SIZE = (16).to_bytes(4, "big")
FREE = {**FIELDS, "uuid": uuid_column}
