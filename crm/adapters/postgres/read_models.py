"""A projection's table, view and statements."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import astuple

from crm import totals
from crm.adapters.postgres.binary import Packed, array, literal
from crm.adapters.postgres.reader_role import secured, shown
from crm.envelope import Row
from crm.indexes import looked_up
from crm.projection import Column, Projection
from crm.scalars import Id
from crm.text.phonetics import COLUMN

BYTE_BY_BYTE = ' COLLATE "C"'
BY_KEY = "t.{0} = k.key AND t.workspace IS NOT DISTINCT FROM k.workspace"  # why: `ddl`
KEYS = "unnest(%s::uuid[], %s::uuid[]) AS k(workspace, key)"
AS_LOADED = {"timestamptz": "(extract(epoch FROM {0}) * 1000000)::bigint"}
AS_READ = {
    **AS_LOADED,
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
    """Order and ranges by code points in any database, over rows that have a value in the last column.

    Postgres drops `IS NOT NULL` from a query for a column that is never null, and then cannot use an index with it.
    """
    *first, last = [name.strip() for name in columns.split(",")]
    known = "" if {c.name: c.required for c in projection.columns}[last] else f" WHERE {last} IS NOT NULL"
    target = f"CREATE INDEX IF NOT EXISTS {index_name(projection, columns)} ON {projection.qualified_name}"
    by = ", ".join(["workspace", *first, f'{last} COLLATE "C"', projection.key])
    return f"{target} ({by}){known};"


def index_name(projection: Projection[Any], columns: str) -> str:
    return "_".join([projection.table, *(name.strip() for name in columns.split(","))])


def view(projection: Projection[Any]) -> str:
    """What readers name: it points to one version."""
    name = f"read.{projection.name}"
    return f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {projection.qualified_name}; {shown(name)}"


@cache
def load(projection: Projection[Any]) -> str:
    """Parameters: workspaces and keys. Gives workspace and the row as JSON text, which `reader` reads."""
    columns = ", ".join(AS_LOADED.get(c.type, "{0}").format(f"t.{c.name}") for c in projection.columns)
    return (
        f"SELECT t.workspace::text, json_build_array({columns})::text FROM {projection.qualified_name} AS t "
        f"JOIN {KEYS} ON {BY_KEY.format(projection.key)}"
    )


@cache
def reader(projection: Projection[Any]) -> Callable[[str], Row]:
    """Returns a function that reads what `load` gives of a row."""
    hints = [dict[str, Raw] if c.type == "jsonb" else f.type for c, f in columns_and_fields(projection)]
    shape: Any = tuple[*hints]  # type: ignore[valid-type]  # made at run time
    decode = msgspec.json.Decoder(shape).decode
    jsons = [n for n, column in enumerate(projection.columns) if column.type == "jsonb"]
    row = projection.row

    def read(text: str) -> Row:
        values = [*decode(text)]
        for n in jsons:
            if values[n]:
                values[n] = {name: bytes(value).decode() for name, value in values[n].items()}
        found: Row = row(*values)
        return found

    return read


def columns_and_fields(projection: Projection[Any]) -> Iterable[tuple[Column, Any]]:
    return zip(projection.columns, msgspec.structs.fields(projection.row), strict=True)


def written(projection: Projection[Any]) -> list[Column]:
    """Returns the columns of the table but for the workspace."""
    return [*projection.columns, *([Column(COLUMN, "text", False)] if projection.searched else [])]


@cache
def insert(projection: Projection[Any]) -> str:
    """Parameters: `packed` rows, none of which is there. It takes Postgres a fifth less than `save`."""
    names = [c.name for c in written(projection)]
    # An array of arrays would be flattened: arrays are given as texts.
    types = ["text" if c.type == "text[]" else c.type for c in written(projection)]
    given = ", ".join(f"%s::{kind}[]" for kind in ("uuid", *types))
    values = ", ".join(f"r.{c.name}::text[]" if c.type == "text[]" else f"r.{c.name}" for c in written(projection))
    return (
        f"INSERT INTO {projection.qualified_name} (workspace, {', '.join(names)}) SELECT r.workspace, {values} "
        f"FROM unnest({given}) AS r(workspace, {', '.join(names)})"
    )


@cache
def save(projection: Projection[Any]) -> str:
    """Parameters: `packed` rows. Inserts or replaces."""
    names = [c.name for c in written(projection)]
    replaced = ", ".join(f"{n} = excluded.{n}" for n in names if n != projection.key)
    return f"{insert(projection)} ON CONFLICT (workspace, {projection.key}) DO UPDATE SET {replaced}"


def packed(projection: Projection[Any], rows: Sequence[tuple[Id, Row]]) -> list[Packed]:
    """Returns the parameters of `save`: rows, each with its workspace, column by column.

    Raises ValueError, with the column and the row in a note, when a value does not fit its column.
    """
    columns = zip(*(astuple(row) for _, row in rows), strict=True)
    try:
        found = [array("uuid", [workspace for workspace, _ in rows])]
        found += [packed_column(column, values) for column, values in zip(projection.columns, columns, strict=True)]
        if projection.searched:
            found.append(array("text", [projection.phonetic_key(row) for _, row in rows]))
    except Exception as error:
        note_misfit(projection, rows, error)
        raise
    return found


def packed_column(column: Column, values: Sequence[Any]) -> Packed:
    if column.type == "text[]":
        return array("text", [*map(literal, values)])
    return array(column.type, values)


def note_misfit(projection: Projection[Any], rows: Sequence[tuple[Id, Row]], error: Exception) -> None:
    """Adds to the error which value does not fit its column."""
    for _, row in rows:
        for column in projection.columns:
            try:
                packed_column(column, [getattr(row, column.name)])
            except Exception:
                error.add_note(f"{projection.name}.{column.name} of row {getattr(row, projection.key)}")
                return


@cache
def delete(projection: Projection[Any]) -> str:
    """Parameters: workspaces and keys."""
    return f"DELETE FROM {projection.qualified_name} AS t USING {KEYS} WHERE {BY_KEY.format(projection.key)}"


def packed_keys(keys: Collection[tuple[Id, Id]]) -> list[Packed]:
    """Returns workspaces and keys as `load` and `delete` take them."""
    return [array("uuid", [workspace for workspace, _ in keys]), array("uuid", [key for _, key in keys])]


def as_read(column: Column) -> str:
    name = f"t.{column.name}"
    return f"{AS_READ[column.type].format(name)} AS {column.name}" if column.type in AS_READ else name


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
