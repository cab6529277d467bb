"""A projection's table, view and statements."""

from functools import cache
from typing import Any

from crm import totals
from crm.adapters.postgres.reader_role import secured, shown
from crm.indexes import looked_up
from crm.projection import Column, Projection
from crm.text.phonetics import COLUMN

BYTE_BY_BYTE = ' COLLATE "C"'
BY_KEY = "t.{0} = k.key AND t.workspace IS NOT DISTINCT FROM k.workspace"
# In two parts: Postgres multiplies intervals in floating point, which holds microseconds up to the year 2255 only.
MICROS = "timestamptz 'epoch' + r.{0} / 1000000 * interval '1 second' + mod(r.{0}, 1000000) * interval '1 microsecond'"
AS_READ = {
    "timestamptz": "(extract(epoch FROM {0}) * 1000000)::bigint",
    "jsonb": "(SELECT coalesce(json_object_agg(e.key, e.value::text), '{{}}') FROM jsonb_each({0}) AS e)",
}


def ddl(projection: Projection[Any]) -> str:
    """Table, indexes and comments of this version. All but the primary key begin with the workspace.

    Other indexes hold workspace and key too. A plan that is made while the table is empty takes any of them, and keeps
    it: so only the primary key begins with the key, and `BY_KEY` gives the planner nothing else to look up by.
    """
    table = projection.qualified_name
    columns = [
        f"{c.name} {c.type}{BYTE_BY_BYTE if c.sorts else ''}{' NOT NULL' if c.required else ''}"
        for c in projection.columns
    ]
    lines = ",\n  ".join(["workspace uuid NOT NULL", *columns, f"PRIMARY KEY ({projection.key}, workspace)"])
    return "\n".join(
        [
            f"CREATE TABLE IF NOT EXISTS {table} (\n  {lines}\n) WITH (fillfactor = 80);",
            f"COMMENT ON TABLE {table} IS {quote(projection.about)};",
            secured(table),
            *(index(projection, columns) for columns in projection.indexes),
            *(lookup(projection, columns) for columns in projection.lookups),
        ]
    )


def index(projection: Projection[Any], columns: str) -> str:
    """Containment for jsonb and arrays, order and equality for all else. Rows without a value are in none."""
    names = [name.strip() for name in columns.split(",")]
    types = {c.name: c.type for c in projection.columns}
    required = {c.name: c.required for c in projection.columns}
    sorts = {c.name: c.sorts for c in projection.columns}
    target = f"CREATE INDEX IF NOT EXISTS {index_name(projection, columns)} ON {projection.qualified_name}"
    if types[names[0]] == "jsonb":
        return f"{target} USING gin ({names[0]} jsonb_path_ops) WHERE {names[0]} <> '{{}}';"
    if types[names[0]].endswith("[]"):
        return f"{target} USING gin ({names[0]}) WHERE {names[0]} <> '{{}}';"
    if len(names) == 1 and types[names[0]] == "text" and not sorts[names[0]]:
        return f"{target} (workspace, {names[0]}, {projection.key}) WHERE {looked_up(names[0])};"
    known = "" if required[names[0]] else f" WHERE {names[0]} IS NOT NULL"
    held = totals.held(projection, columns)
    included = f" INCLUDE ({', '.join(held)})" if held else ""
    return f"{target} (workspace, {', '.join(names)}, {projection.key}){included}{known};"


def lookup(projection: Projection[Any], columns: str) -> str:
    """Order and ranges by code points in any database, over rows that have a value in the last column."""
    *first, last = [name.strip() for name in columns.split(",")]
    target = f"CREATE INDEX IF NOT EXISTS {index_name(projection, columns)} ON {projection.qualified_name}"
    by = ", ".join(["workspace", *first, f'{last} COLLATE "C"', projection.key])
    return f"{target} ({by}) WHERE {last} IS NOT NULL;"


def index_name(projection: Projection[Any], columns: str) -> str:
    return "_".join([projection.table, *(name.strip() for name in columns.split(","))])


def view(projection: Projection[Any]) -> str:
    """What readers name: it points to one version."""
    name = f"read.{projection.name}"
    return f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {projection.qualified_name}; {shown(name)}"


@cache
def load(projection: Projection[Any]) -> str:
    """Parameters: JSON of [{workspace, key}]. Gives workspace and the row as JSON text, locked in key order."""
    columns = ", ".join(as_read(c) for c in projection.columns)
    return (
        f"SELECT t.workspace::text, row_to_json((SELECT x FROM (SELECT {columns}) AS x))::text "
        f"FROM {projection.qualified_name} AS t JOIN json_to_recordset(%s) AS k(workspace uuid, key uuid) "
        f"ON {BY_KEY.format(projection.key)}"
    )


@cache
def save(projection: Projection[Any]) -> str:
    """Parameters: JSON of rows, each with its workspace and what it sounds like. Inserts or replaces."""
    columns = [*projection.columns, *([Column(COLUMN, "text", False)] if projection.searched else [])]
    names = [c.name for c in columns]
    given = ", ".join(f"{c.name} {'bigint' if c.type == 'timestamptz' else c.type}" for c in columns)
    values = ", ".join(MICROS.format(c.name) if c.type == "timestamptz" else f"r.{c.name}" for c in columns)
    replaced = ", ".join(f"{n} = excluded.{n}" for n in names if n != projection.key)
    return (
        f"INSERT INTO {projection.qualified_name} (workspace, {', '.join(names)}) SELECT r.workspace, {values} "
        f"FROM json_to_recordset(%s) AS r(workspace uuid, {given}) "
        f"ON CONFLICT (workspace, {projection.key}) DO UPDATE SET {replaced}"
    )


@cache
def delete(projection: Projection[Any]) -> str:
    """Parameters: JSON of [{workspace, key}]."""
    return (
        f"DELETE FROM {projection.qualified_name} AS t USING json_to_recordset(%s) AS k(workspace uuid, key uuid) "
        f"WHERE {BY_KEY.format(projection.key)}"
    )


def as_read(column: Column) -> str:
    name = f"t.{column.name}"
    return f"{AS_READ[column.type].format(name)} AS {column.name}" if column.type in AS_READ else name


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
