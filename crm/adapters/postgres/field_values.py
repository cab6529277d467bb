"""Custom fields in Postgres: a table of values next to the rows, each as text that sorts as the values do.

The values of changed rows are read off the saved rows in the same transaction, by the expression that also fills the
table after a rebuild and that `crm verify` compares with. A value is `b` and a flag, `n` and a number as
`crm.objects.sortable_number` writes it, or `s` and a text.
"""

from functools import cache
from typing import Any, NamedTuple

import psycopg

from crm import indexes
from crm.adapters.postgres.read_models import BY_KEY, BYTE_BY_BYTE, KEYS
from crm.adapters.postgres.side_table import SideTable
from crm.objects import BIAS
from crm.projection import Projection

SUFFIX = "_field_values"  # of the table's name
LONGEST = 200  # characters of a key, of a text and of a number's digits that an index holds
EXAMPLES = 5
FLAG, NUMBER, TEXT = "b", "n", "s"
# Each number is written without an exponent: its own is where its first digit stands.
EXPONENT = "CASE WHEN d.whole <> '0' THEN length(d.whole) - 1 ELSE length(ltrim(d.part, '0')) - length(d.part) - 1 END"
DIGITS = f"left(trim('0' FROM replace(d.text, '.', '')), {LONGEST})"
SORTABLE = (
    "CASE WHEN trim('0' FROM replace(d.text, '.', '')) = '' THEN '1' "
    f"WHEN d.negative THEN '0' || lpad(({9999 - BIAS} - ({EXPONENT}))::text, 4, '0') "
    f"|| translate({DIGITS}, '0123456789', '9876543210') || '~' "
    f"ELSE '2' || lpad(({BIAS} + ({EXPONENT}))::text, 4, '0') || {DIGITS} END"
)
VALUE = (
    f"CASE jsonb_typeof(e.value) WHEN 'number' THEN '{NUMBER}' || {SORTABLE} "
    f"WHEN 'boolean' THEN '{FLAG}' || (e.value #>> '{{}}') ELSE '{TEXT}' || left(e.value #>> '{{}}', {LONGEST}) END"
)
PARTS = (
    "LATERAL (SELECT w.text, w.negative, split_part(w.text, '.', 1) AS whole, split_part(w.text, '.', 2) AS part "
    "FROM (SELECT ltrim(e.value #>> '{}', '-') AS text, starts_with(e.value #>> '{}', '-') AS negative) AS w) AS d"
)
SINGLE = "jsonb_typeof(e.value) IN ('string', 'number', 'boolean')"
Connection = psycopg.Connection[Any]


class WrongValue(NamedTuple):
    """A value that is not the row's. None: there is none."""

    workspace: str
    row: str
    field: str
    kept: str | None
    held: str | None  # by the row


def kept(projection: Projection[Any]) -> bool:
    """Tells whether the custom fields of a projection have such a table."""
    return bool(indexes.custom_fields(projection))


def definition(projection: Projection[Any]) -> str:
    """Returns the statements for the table: a value of each row by the row, and the rows by their values.

    Rows of one value stand in the order of the time that does not change.
    """
    name, key, time = table(projection), projection.key, indexes.held_still(projection)
    return "\n".join(
        [
            f"CREATE TABLE IF NOT EXISTS {name} (\n  workspace uuid NOT NULL,\n  {key} uuid NOT NULL,",
            f"  field text{BYTE_BY_BYTE} NOT NULL,\n  value text{BYTE_BY_BYTE} NOT NULL,",
            f"  {time} timestamptz NOT NULL,\n  PRIMARY KEY ({key}, workspace, field)\n);",
            f"CREATE INDEX IF NOT EXISTS {projection.table}{SUFFIX}_value ON {name} "
            f"(workspace, field, value, {time}, {key});",
        ]
    )


def about(projection: Projection[Any]) -> str:
    return f"Custom fields of {projection.name}: a value of a row each, as text that sorts as the values do."


def refusal(projection: Projection[Any]) -> str:
    return (
        f"The custom fields of projection {projection.name} have no table of values, and its version is still "
        f"{projection.version}. Nothing was changed. Raise its version: the new table is filled from the journal."
    )


def values(projection: Projection[Any], rows: str) -> str:
    """Returns a query for the values of rows. `rows`: SQL for a FROM clause that names them `r`."""
    return (
        f"SELECT r.workspace, r.{projection.key}, e.key, {VALUE}, r.{indexes.held_still(projection)} FROM {rows} "
        f"CROSS JOIN LATERAL jsonb_each(r.{indexes.custom_fields(projection)}) AS e CROSS JOIN {PARTS} "
        f"WHERE {SINGLE} AND length(e.key) <= {LONGEST}"
    )


def target(projection: Projection[Any]) -> str:
    return f"{table(projection)} ({', '.join(columns(projection))})"


def columns(projection: Projection[Any]) -> list[str]:
    return ["workspace", projection.key, "field", "value", indexes.held_still(projection)]


@cache
def remove(projection: Projection[Any]) -> str:
    """Parameters: workspaces and keys of rows whose fields have changed, or that are gone."""
    return f"DELETE FROM {table(projection)} AS t USING {KEYS} WHERE {BY_KEY.format(projection.key)}"


@cache
def add(projection: Projection[Any]) -> str:
    """The same parameters. Writes the values of these rows as they are saved."""
    found = f"SELECT t.* FROM {KEYS} JOIN {projection.qualified_name} AS t ON {BY_KEY.format(projection.key)}"
    return f"INSERT INTO {target(projection)} {values(projection, f'({found}) AS r')}"


def fill(conn: Connection, projection: Projection[Any]) -> None:
    """Writes the values of all rows of a table that a rebuild filled. Their table is empty before."""
    if kept(projection):
        found = values(projection, f"{projection.qualified_name} AS r")
        conn.execute(f"INSERT INTO {target(projection)} {found}".encode())
        conn.execute(f"ANALYZE {table(projection)}".encode())


VALUES = SideTable(SUFFIX, kept, about, definition, refusal, fill)
table, view = VALUES.table, VALUES.view


def wrong(conn: Connection, projection: Projection[Any]) -> list[WrongValue]:
    """Compares the values with the rows, in one statement for one state of both. Returns some that differ."""
    if not kept(projection):
        return []
    by, time = ", ".join(columns(projection)[:3]), indexes.held_still(projection)
    held = values(projection, f"{projection.qualified_name} AS r")
    query = (
        f"WITH held ({', '.join(columns(projection))}) AS ({held}) "
        f"SELECT workspace::text, {projection.key}::text, field, k.value, h.value FROM {table(projection)} AS k "
        f"FULL JOIN held AS h USING ({by}) WHERE (k.value, k.{time}) IS DISTINCT FROM (h.value, h.{time}) "
        f"ORDER BY {by} LIMIT {EXAMPLES}"
    )
    return [WrongValue(*row) for row in conn.execute(query.encode())]
