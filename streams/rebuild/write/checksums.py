"""Computes the checksum of a table's content, independent of the order of rows and columns and of the server."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres.views import columns

# The sum of the rows' hashes, so that the order does not matter and nothing is sorted. MD5 is the same on every server.
HASH = "('x' || substr(md5(ROW({})::text), 1, 16))::bit(64)::bigint::numeric"
Connection = psycopg.Connection[Any]


def checksum(conn: Connection, schema: str, table: str) -> tuple[int, str]:
    """Returns the number of rows, and the checksum as 16 hexadecimal digits."""
    names = sorted(column.name for column in columns(conn, f"{schema}.{table}"))
    hashed = SQL(HASH).format(SQL(", ").join(map(Identifier, names)))
    query = SQL("SELECT count(*), coalesce(sum({}), 0) FROM {}").format(hashed, Identifier(schema, table))
    with conn.transaction():
        conn.execute("SET LOCAL timezone = 'UTC'")
        conn.execute("SET LOCAL extra_float_digits = 1")
        ((count, total),) = conn.execute(query).fetchall()
    return count, f"{int(total) % (1 << 64):016x}"
