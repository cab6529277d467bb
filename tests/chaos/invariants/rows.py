"""Part of the third invariant: every live projection equals a fresh fold of the journal, and its totals its rows."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection

from crm.adapters.postgres import totals
from crm.adapters.postgres.read_models import as_read
from crm.envelope import Row
from crm.projection import Projection
from crm.scalars import Id
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation

FETCH = 5000  # rows
JSON = msgspec.json.Decoder(float_hook=Decimal)  # 1.50 and 1.5 are one number, and Postgres may write either
Folded = dict[tuple[Id, Id], Row]  # by workspace and key


def broken(conn: Connection[Any], projection: Projection[Any], journal: Journal) -> list[str]:
    try:
        rows = fold_journal(projection, journal)
    except Exception as error:  # a fold that raises on a true journal breaks an invariant too
        return [f"The journal cannot be folded into {projection.name}: {error!r}"]
    wrong = [f"{cell.cell}: {cell.kept} for {cell.counted}" for cell in totals.wrong(conn, projection)]
    return [
        *compare_rows(projection, rows, stored(conn, projection)),
        *violation(f"totals of {projection.name} are not what its rows give", wrong),
    ]


def fold_journal(projection: Projection[Any], journal: Journal) -> Folded:
    """Folds the journal. Raises what the fold raises."""
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
    """Yields workspace and row, loaded as the projection loads them."""
    columns = ", ".join(as_read(column) for column in projection.columns)
    query = f"SELECT t.workspace::text, row_to_json((SELECT x FROM (SELECT {columns}) AS x))::text "
    row = msgspec.json.Decoder(projection.row)
    with conn.cursor("rows") as cursor:
        cursor.itersize = FETCH
        for workspace, text in cursor.execute(f"{query} FROM read.{projection.table} AS t".encode()):
            yield workspace, row.decode(text)


def compare_rows(projection: Projection[Any], rows: Folded, stored: Iterable[tuple[Id, Row]]) -> list[str]:
    """Removes from `rows` what it finds."""
    strange, different = [], []
    for workspace, row in stored:
        key = getattr(row, projection.key)
        wanted = rows.pop((workspace, key), None)
        if wanted is None:
            strange.append(str(key))
        elif row != wanted and (names := differences(projection, row, wanted)):
            different.append(f"{key} ({'; '.join(names)})")
    return [
        *violation(f"rows of {projection.name} are missing", [key for _, key in rows]),
        *violation(f"rows of {projection.name} follow from no event", strange),
        *violation(f"rows of {projection.name} are not what the journal gives", different),
    ]


def differences(projection: Projection[Any], row: Row, wanted: Row) -> list[str]:
    """Compares field by field; JSON by value, because jsonb keeps no whitespace."""
    found = []
    for column in projection.columns:
        has, should = getattr(row, column.name), getattr(wanted, column.name)
        if column.type == "jsonb":
            has, should = ({name: JSON.decode(text) for name, text in said.items()} for said in (has, should))
        if has != should:
            found.append(f"{column.name} is {has!r:.60}, not {should!r:.60}")
    return found
