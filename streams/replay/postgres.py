"""Rows into tables of a schema of their own in Postgres: one transaction, a new table that takes the old one's name."""

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import polars as pl
import psycopg
from psycopg.sql import SQL, Identifier

from crm.errors import Broken
from crm.projection import Projection
from streams.replay.targets import Rows

LOT = 50_000  # rows of one write
OURS = ("core", "read", "pg_catalog", "information_schema")


class Postgres:
    """`schema` is made if it is not there; ours are refused."""

    def __init__(self, projections: Sequence[Projection[Any]], dsn: str, schema: str) -> None:
        if schema in OURS or schema.startswith("pg_"):
            raise ValueError(f"The schema {schema} is not for replays: name another with --schema.")
        self.dsn, self.schema, self.folder = dsn, schema, Path(gettempdir())

    def write(self, rows: Rows) -> None:
        """Raises Broken with what Postgres says; it has nothing of it then."""
        try:
            with psycopg.connect(self.dsn, application_name="crm replay") as conn:
                conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(self.schema)))
                for projection, frame in rows.values():
                    self.fill(conn, projection, frame)
        except psycopg.Error as error:
            raise Broken(
                f"Postgres: {str(error).strip()}. The tables of {self.schema} are what they were. Run it again."
            ) from None

    def place(self, name: str) -> str:
        return f"Postgres, {self.schema}.{name}"

    def fill(self, conn: psycopg.Connection[Any], projection: Projection[Any], frame: pl.LazyFrame) -> None:
        new, name = (Identifier(self.schema, told) for told in (f"{projection.name}_new", projection.name))
        columns: list[Any] = [SQL("workspace uuid NOT NULL")]
        for c in projection.columns:
            kind = SQL(c.type if c.type != "uuid" else "text")  # an analyst's id may be any text
            columns.append(SQL("{} {}{}").format(Identifier(c.name), kind, SQL(" NOT NULL" if c.required else "")))
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(new))
        conn.execute(SQL("CREATE TABLE {} ({})").format(new, SQL(", ").join(columns)))
        with conn.cursor().copy(SQL("COPY {} FROM STDIN (FORMAT csv)").format(new)) as copy:
            for lot in frame.collect().iter_slices(LOT):
                copy.write(as_csv(lot))
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(name))
        conn.execute(SQL("ALTER TABLE {} RENAME TO {}").format(new, Identifier(projection.name)))
        conn.execute(SQL("COMMENT ON TABLE {} IS {}").format(name, projection.about))


def as_csv(lot: pl.DataFrame) -> bytes:
    """As COPY reads it: nothing is null, a quoted nothing is an empty text, lists are arrays."""
    lists = [name for name, kind in lot.schema.items() if kind == pl.List(pl.String)]
    content = io.BytesIO()
    lot.with_columns(as_array(name) for name in lists).write_csv(
        content, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ"
    )
    return content.getvalue()


def as_array(name: str) -> pl.Expr:
    """{"a","b"}, quotes and backslashes escaped."""
    escaped = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    inner = pl.col(name).list.eval(pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))).list.join(",")
    return pl.when(pl.col(name).is_not_null()).then(pl.concat_str(pl.lit("{"), inner, pl.lit("}"))).alias(name)
