"""Rows into a table by binary COPY, in one transaction; what memory has no room for waits in a temporary table."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres.read_models import as_read
from crm.projection import Projection
from streams.rebuild.write.copy_binary import SIGNATURE, TRAILER, Packer
from streams.rebuild.write.sink import Key, Lot

ASIDE = "set_aside"


class PostgresSink:
    """Into `projection.schema`. What is not finished when the connection ends was never there."""

    def __init__(self, dsn: str, projection: Projection[Any]) -> None:
        self.projection, self.packer = projection, Packer(projection)
        self.table = Identifier(projection.schema, projection.table)
        self.conn = psycopg.connect(dsn, application_name="crm rebuild", options="-c synchronous_commit=off -c jit=off")
        self.copying = ExitStack()
        self.into: Any = None
        self.aside = False

    def write(self, rows: Lot) -> None:
        if rows:
            self.begin(self.table)
            self.into.write(self.packer.pack(rows))

    def begin(self, table: Identifier) -> None:
        if self.into is None:
            columns = SQL(", ").join(map(Identifier, self.packer.columns))
            cursor = self.copying.enter_context(self.conn.cursor())
            statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, columns)
            self.into = self.copying.enter_context(cursor.copy(statement))
            self.into.write(SIGNATURE)

    def end(self) -> None:
        """Of the COPY under way."""
        if self.into is not None:
            self.into.write(TRAILER)
            self.into = None
            self.copying.close()

    def set_aside(self, rows: Lot) -> None:
        self.end()
        if not self.aside:
            self.aside = True
            made = SQL("CREATE TEMPORARY TABLE {} (LIKE {}, PRIMARY KEY ({}, workspace))")
            self.conn.execute(made.format(Identifier(ASIDE), self.table, Identifier(self.projection.key)))
        self.begin(Identifier(ASIDE))
        self.into.write(self.packer.pack(rows))
        self.end()

    def take_back(self, keys: Iterable[Key]) -> Lot:
        self.end()
        key = self.projection.key
        wanted = msgspec.json.encode([{"workspace": w, "key": k} for w, k in keys]).decode()
        columns = ", ".join(as_read(column) for column in self.projection.columns)
        taken = (
            f"DELETE FROM {ASIDE} AS t USING json_to_recordset(%s) AS k (workspace uuid, key uuid) "
            f"WHERE t.{key} = k.key AND t.workspace = k.workspace RETURNING t.workspace::text, "
            f"row_to_json((SELECT x FROM (SELECT {columns}) AS x))::text"
        )
        found = self.conn.execute(taken.encode(), [wanted]).fetchall()
        return [(workspace, msgspec.json.decode(told, type=self.projection.row)) for workspace, told in found]

    def finish(self) -> None:
        self.end()
        if self.aside:
            self.aside = False
            columns = SQL(", ").join(map(Identifier, self.packer.columns))
            moved = SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
            self.conn.execute(moved.format(self.table, columns, columns, Identifier(ASIDE)))
            self.conn.execute(SQL("DROP TABLE {}").format(Identifier(ASIDE)))
        self.conn.commit()
