"""Rows as columns of a polars DataFrame: the workspace first, then what the row declares."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import polars as pl

from crm.envelope import Row
from crm.errors import Malformed
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
    return {WORKSPACE: pl.String, **{c.name: TYPES[c.type] for c in projection.columns}}


def frame(projection: Projection[Any], rows: Sequence[tuple[Id, Row]]) -> pl.DataFrame:
    """Raises Malformed with the row and the column when a value is of another type than its column."""
    plain = [row for _, row in rows]
    try:
        columns = [pl.Series(WORKSPACE, [workspace for workspace, _ in rows], pl.String)]
        columns += [series(column, list(map(attrgetter(column.name), plain))) for column in projection.columns]
    except Exception as error:
        raise culprit(projection, plain, error) from error
    return pl.DataFrame(columns)


def series(column: Column, values: list[Any]) -> pl.Series:
    if column.required and None in values:
        raise TypeError("a column that must have a value has none")
    if column.type == "jsonb":
        values = [as_json(value) for value in values]
    elif column.type == "text[]":
        values = [None if value is None else list(value) for value in values]
    elif column.type == "timestamptz":
        return pl.Series(column.name, values, pl.Int64, strict=True).cast(TYPES[column.type])
    return pl.Series(column.name, values, TYPES[column.type], strict=True)


def as_json(value: dict[str, str] | None) -> str | None:
    """Values are JSON text already."""
    if value is None:
        return None
    return "{" + ",".join(f"{quoted(name)}:{text}" for name, text in value.items()) + "}"


def quoted(name: str) -> str:
    from msgspec import json

    return json.encode(name).decode()


def culprit(projection: Projection[Any], rows: Sequence[Row], error: Exception) -> Malformed:
    """Names the first value that does not fit."""
    for row in rows:
        for column in projection.columns:
            value = getattr(row, column.name)
            if not fits(column, value):
                must = column.type + ("" if column.required else " or None")
                return Malformed(
                    f"The fold of {projection.name} gives {value!r:.80} for {column.name}, which is {must}, in the row "
                    f"{getattr(row, projection.key)!r}. Nothing was written. Mend the fold and run it again."
                )
    return Malformed(f"Rows of {projection.name} cannot be written: {error}. Nothing was written.")


def fits(column: Column, value: Any) -> bool:
    if value is None:
        return not column.required
    check: Callable[[], object] = lambda: series(column, [value])  # noqa: E731
    if (kind := PYTHON.get(column.type)) and type(value) is not kind:
        return False
    try:
        check()
    except Exception:
        return False
    return True
