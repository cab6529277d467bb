"""A part of the third law: every live projection equals a fresh fold of the journal, row by row."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection

from crm.adapters.postgres.read_models import as_read
from crm.envelope import Row
from crm.projection import Projection
from crm.scalars import Id
from tests.chaos.laws.journal import Journal
from tests.chaos.laws.sentences import sentence

FETCH = 5000  # rows
JSON = msgspec.json.Decoder(float_hook=Decimal)  # 1.50 and 1.5 are one number, and Postgres may write either
Folded = dict[tuple[Id, Id], Row]  # by workspace and key


def broken(conn: Connection[Any], projection: Projection[Any], journal: Journal) -> list[str]:
    try:
        rows = folded(projection, journal)
    except Exception as error:  # a fold that raises on a true journal is a broken law too
        return [f"The journal cannot be folded into {projection.name}: {error!r}"]
    return compared(projection, rows, stored(conn, projection))


def folded(projection: Projection[Any], journal: Journal) -> Folded:
    """Raises what the fold raises."""
    rows: Folded = {}
    handles, fold, key_of = {*projection.handles}, projection.fold, projection.key_of
    for event in journal.events:
        if type(event) in handles:
            key = event.meta.workspace, key_of(event)
            row = fold(rows.get(key), event)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
    return rows


def stored(conn: Connection[Any], projection: Projection[Any]) -> Iterable[tuple[Id, Row]]:
    """Workspace and row, as the projection itself loads them."""
    columns = ", ".join(as_read(column) for column in projection.columns)
    query = f"SELECT t.workspace::text, row_to_json((SELECT x FROM (SELECT {columns}) AS x))::text "
    row = msgspec.json.Decoder(projection.row)
    with conn.cursor("rows") as cursor:
        cursor.itersize = FETCH
        for workspace, text in cursor.execute(f"{query} FROM read.{projection.table} AS t".encode()):
            yield workspace, row.decode(text)


def compared(projection: Projection[Any], rows: Folded, stored: Iterable[tuple[Id, Row]]) -> list[str]:
    """Takes the rows out of `rows` that it finds."""
    strange, different = [], []
    for workspace, row in stored:
        key = getattr(row, projection.key)
        wanted = rows.pop((workspace, key), None)
        if wanted is None:
            strange.append(str(key))
        elif row != wanted and (names := differences(projection, row, wanted)):
            different.append(f"{key} ({'; '.join(names)})")
    return [
        *sentence(f"rows of {projection.name} are missing", [key for _, key in rows]),
        *sentence(f"rows of {projection.name} follow from no event", strange),
        *sentence(f"rows of {projection.name} are not what the journal gives", different),
    ]


def differences(projection: Projection[Any], row: Row, wanted: Row) -> list[str]:
    """Field by field; JSON by its meaning, for jsonb keeps no spaces."""
    found = []
    for column in projection.columns:
        has, should = getattr(row, column.name), getattr(wanted, column.name)
        if column.type == "jsonb":
            has, should = ({name: JSON.decode(text) for name, text in said.items()} for said in (has, should))
        if has != should:
            found.append(f"{column.name} is {has!r:.60}, not {should!r:.60}")
    return found
