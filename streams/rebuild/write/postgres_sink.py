"""Writes rows to a table by binary COPY in one transaction; evicted rows wait in a temporary table."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres.read_models import as_read
from crm.projection import Projection
from streams.rebuild.write.copy_binary import SIGNATURE, TRAILER, Packer
from streams.rebuild.write.sink import Key, RowBatch

EVICTED = "evicted_rows"


class PostgresSink:
    """Writes to the table in `projection.schema`. Nothing is kept if the connection ends before `finish`."""

    def __init__(self, dsn: str, projection: Projection[Any]) -> None:
        self.projection, self.packer = projection, Packer(projection)
        self.table = Identifier(projection.schema, projection.table)
        self.conn = psycopg.connect(dsn, application_name="crm rebuild", options="-c synchronous_commit=off -c jit=off")
        self.copying = ExitStack()
        self.into: Any = None
        self.evicted = False

    def write(self, rows: RowBatch) -> None:
        if rows:
            self.begin(self.table)
            self.into.write(self.packer.pack(rows))

    def begin(self, table: Identifier) -> None:
        """Starts a COPY into this table unless one is running."""
        if self.into is None:
            columns = SQL(", ").join(map(Identifier, self.packer.columns))
            cursor = self.copying.enter_context(self.conn.cursor())
            statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, columns)
            self.into = self.copying.enter_context(cursor.copy(statement))
            self.into.write(SIGNATURE)

    def end(self) -> None:
        """Ends the running COPY, if any."""
        if self.into is not None:
            self.into.write(TRAILER)
            self.into = None
            self.copying.close()

    def evict(self, rows: RowBatch) -> None:
        self.end()
        if not self.evicted:
            self.evicted = True
            create = SQL("CREATE TEMPORARY TABLE {} (LIKE {}, PRIMARY KEY ({}, workspace))")
            self.conn.execute(create.format(Identifier(EVICTED), self.table, Identifier(self.projection.key)))
        self.begin(Identifier(EVICTED))
        self.into.write(self.packer.pack(rows))
        self.end()

    def restore(self, keys: Iterable[Key]) -> RowBatch:
        self.end()
        key = self.projection.key
        wanted = msgspec.json.encode([{"workspace": w, "key": k} for w, k in keys]).decode()
        columns = ", ".join(as_read(column) for column in self.projection.columns)
        query = (
            f"DELETE FROM {EVICTED} AS t USING json_to_recordset(%s) AS k (workspace uuid, key uuid) "
            f"WHERE t.{key} = k.key AND t.workspace = k.workspace RETURNING t.workspace::text, "
            f"row_to_json((SELECT x FROM (SELECT {columns}) AS x))::text"
        )
        found = self.conn.execute(query.encode(), [wanted]).fetchall()
        return [(workspace, msgspec.json.decode(text, type=self.projection.row)) for workspace, text in found]

    def finish(self) -> None:
        self.end()
        if self.evicted:
            self.evicted = False
            columns = SQL(", ").join(map(Identifier, self.packer.columns))
            insert = SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
            self.conn.execute(insert.format(self.table, columns, columns, Identifier(EVICTED)))
            self.conn.execute(SQL("DROP TABLE {}").format(Identifier(EVICTED)))
        self.conn.commit()
