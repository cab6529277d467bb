"""Writes rows to tables of a separate schema in Postgres, in one transaction that replaces existing tables."""

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

BATCH_ROWS = 50_000  # of one write
RESERVED = ("core", "read", "pg_catalog", "information_schema")


class PostgresTarget:
    """Creates `schema` if it does not exist. Raises ValueError for a reserved schema."""

    def __init__(self, projections: Sequence[Projection[Any]], dsn: str, schema: str) -> None:
        if schema in RESERVED or schema.startswith("pg_"):
            raise ValueError(f"The schema {schema} is not for replays: choose another one with --schema.")
        self.dsn, self.schema, self.folder = dsn, schema, Path(gettempdir())

    def write(self, rows: Rows) -> None:
        """Writes all tables or none. Raises Broken with the message of Postgres."""
        try:
            with psycopg.connect(self.dsn, application_name="crm replay") as conn:
                conn.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(self.schema)))
                for projection, frame in rows.values():
                    self.fill(conn, projection, frame)
        except psycopg.Error as error:
            why = f"Postgres: {str(error).strip()}. The tables of {self.schema} were not changed. Run it again."
            raise Broken(why) from None

    def place(self, name: str) -> str:
        return f"Postgres, {self.schema}.{name}"

    def fill(self, conn: psycopg.Connection[Any], projection: Projection[Any], frame: pl.LazyFrame) -> None:
        """Fills a new table and gives it the projection's name."""
        new, name = (Identifier(self.schema, table) for table in (f"{projection.name}_new", projection.name))
        columns: list[Any] = [SQL("workspace uuid NOT NULL")]
        for c in projection.columns:
            kind = SQL(c.type if c.type != "uuid" else "text")  # an analyst's id may be any text
            columns.append(SQL("{} {}{}").format(Identifier(c.name), kind, SQL(" NOT NULL" if c.required else "")))
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(new))
        conn.execute(SQL("CREATE TABLE {} ({})").format(new, SQL(", ").join(columns)))
        with conn.cursor().copy(SQL("COPY {} FROM STDIN (FORMAT csv)").format(new)) as copy:
            for batch in frame.collect().iter_slices(BATCH_ROWS):
                copy.write(as_csv(batch))
        conn.execute(SQL("DROP TABLE IF EXISTS {}").format(name))
        conn.execute(SQL("ALTER TABLE {} RENAME TO {}").format(new, Identifier(projection.name)))
        conn.execute(SQL("COMMENT ON TABLE {} IS {}").format(name, projection.about))


def as_csv(batch: pl.DataFrame) -> bytes:
    """Returns CSV for COPY: an empty value is null, a quoted empty value is an empty text, lists are arrays."""
    lists = [name for name, kind in batch.schema.items() if kind == pl.List(pl.String)]
    content = io.BytesIO()
    batch.with_columns(as_array(name) for name in lists).write_csv(
        content, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ"
    )
    return content.getvalue()


def as_array(name: str) -> pl.Expr:
    """Formats a list as an array literal, {"a","b"}, with quotes and backslashes escaped."""
    escaped = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    inner = pl.col(name).list.eval(pl.concat_str(pl.lit('"'), escaped, pl.lit('"'))).list.join(",")
    return pl.when(pl.col(name).is_not_null()).then(pl.concat_str(pl.lit("{"), inner, pl.lit("}"))).alias(name)
