"""Converts rows to columns of a polars DataFrame: the workspace first, then the columns of the row."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import polars as pl

from crm.envelope import Row
from crm.errors import Malformed
from crm.json_column import encoded
from crm.projection import Column, Projection
from crm.scalars import Id

TYPES: dict[str, Any] = {
    "uuid": pl.String,
    "text": pl.String,
    "bigint": pl.Int64,
    "boolean": pl.Boolean,
    "timestamptz": pl.Datetime("us", "UTC"),
    "text[]": pl.List(pl.String),
    "jsonb": pl.String,  # JSON text
}
PYTHON: dict[str, type[Any]] = {"uuid": str, "text": str, "bigint": int, "boolean": bool, "timestamptz": int}
WORKSPACE = "workspace"


def schema(projection: Projection[Any]) -> dict[str, Any]:
    """Returns the polars schema of a projection's rows."""
    return {WORKSPACE: pl.String, **{c.name: TYPES[c.type] for c in projection.columns}}


def frame(projection: Projection[Any], rows: Sequence[tuple[Id, Row]]) -> pl.DataFrame:
    """Converts rows. Raises Malformed with the row and the column when a value does not have its column's type."""
    plain = [row for _, row in rows]
    try:
        columns = [pl.Series(WORKSPACE, [workspace for workspace, _ in rows], pl.String)]
        columns += [series(column, list(map(attrgetter(column.name), plain))) for column in projection.columns]
    except Exception as error:
        raise first_misfit(projection, plain, error) from error
    return pl.DataFrame(columns)


def series(column: Column, values: list[Any]) -> pl.Series:
    """Converts one column. Raises TypeError or polars' errors for a wrong value."""
    if column.required and None in values:
        raise TypeError("a required value is missing")
    if column.type == "jsonb":
        values = [as_json(value) for value in values]
    elif column.type == "text[]":
        values = [None if value is None else list(value) for value in values]
    elif column.type == "timestamptz":
        return pl.Series(column.name, values, pl.Int64, strict=True).cast(TYPES[column.type])
    return pl.Series(column.name, values, TYPES[column.type], strict=True)


def as_json(value: dict[str, str] | None) -> str | None:
    """Returns a JSON object. Raises ValueError with the first value that is no JSON text."""
    return None if value is None else encoded(value).decode()


def first_misfit(projection: Projection[Any], rows: Sequence[Row], error: Exception) -> Malformed:
    """Returns the error with the first value that does not fit its column."""
    for row in rows:
        for column in projection.columns:
            value = getattr(row, column.name)
            if why := misfit(column, value):
                return Malformed(
                    f"The fold of {projection.name} returns {value!r:.80} for {column.name}, which is {why}, in row "
                    f"{getattr(row, projection.key)!r}. Nothing was written. Fix the fold and run it again."
                )
    return Malformed(f"Rows of {projection.name} cannot be written: {error}. Nothing was written.")


def misfit(column: Column, value: Any) -> str:
    """Returns what the column takes instead of a value; empty when it takes it."""
    wanted = column.type + ("" if column.required else " or None")
    if value is None:
        return wanted if column.required else ""
    if (kind := PYTHON.get(column.type)) and type(value) is not kind:
        return wanted
    try:
        series(column, [value])
    except Exception as error:
        return f"{wanted}: {error}" if column.type == "jsonb" and isinstance(value, dict) else wanted
    return ""
