"""Compares two tables of one projection: how many rows are equal, changed, only in one, with examples."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Composable, Identifier

from crm.adapters.postgres.views import Served, columns
from crm.projection import Projection
from crm.scalars import Id

EXAMPLES = 5
Connection = psycopg.Connection[Any]


class Difference(msgspec.Struct):
    """One row that is not the same. `here` is what is read now, `there` what was built; null where it is not."""

    workspace: Id
    key: Id
    kind: str  # changed, only_here or only_there
    columns: dict[str, list[Any]]  # [here, there] of each that differs


class Report(msgspec.Struct):
    """Rows by how they compare. `moving`: left out, as events came of them while it was compared."""

    equal: int
    changed: int
    only_here: int
    only_there: int
    moving: int
    compared: list[str]  # columns that both have
    examples: list[Difference]

    @property
    def same(self) -> bool:
        return not (self.changed or self.only_here or self.only_there)


def report(
    conn: Connection, projection: Projection[Any], here: Served, there: Served, moving: Collection[Id] = ()
) -> Report:
    """`here` is read now, `there` was built. Columns that only one of them has are not compared."""
    both = {c.name: c.type for c in columns(conn, ".".join(here))}
    new = {c.name: c.type for c in columns(conn, ".".join(there))}
    names = [name for name, kind in both.items() if new.get(name) == kind and name not in ("workspace", projection.key)]
    key = Identifier(projection.key)
    pairs = SQL(
        "FROM {here} AS o FULL JOIN {there} AS n ON o.{key} = n.{key} AND o.workspace = n.workspace "
        "WHERE NOT coalesce(o.{key}, n.{key}) = ANY (%s)"
    ).format(here=Identifier(*here), there=Identifier(*there), key=key)
    same = SQL("({}) IS NOT DISTINCT FROM ({})").format(row("o", names), row("n", names))
    counts = SQL(
        "SELECT count(*) FILTER (WHERE {both} AND {same}), count(*) FILTER (WHERE {both} AND NOT {same}), "
        "count(*) FILTER (WHERE n.{key} IS NULL), count(*) FILTER (WHERE o.{key} IS NULL) {pairs}"
    ).format(both=SQL("o.{0} IS NOT NULL AND n.{0} IS NOT NULL").format(key), same=same, key=key, pairs=pairs)
    keys = list(moving)
    ((equal, changed, only_here, only_there),) = conn.execute(counts, [keys]).fetchall()
    examples: list[Difference] = []
    if changed or only_here or only_there:
        told = SQL(
            "SELECT coalesce(o.workspace, n.workspace)::text, coalesce(o.{key}, n.{key})::text, "
            "row_to_json(o)::text, row_to_json(n)::text {pairs} AND (o.{key} IS NULL OR n.{key} IS NULL OR NOT {same}) "
            "ORDER BY 2 LIMIT {limit}"
        ).format(key=key, pairs=pairs, same=same, limit=EXAMPLES)
        examples = [difference(w, k, o, n, names) for w, k, o, n in conn.execute(told, [keys]).fetchall()]
    return Report(equal, changed, only_here, only_there, len(keys), names, examples)


def row(table: str, names: Sequence[str]) -> Composable:
    return SQL(", ").join(Identifier(table, name) for name in names)


def difference(workspace: Id, key: Id, here: str | None, there: str | None, names: Sequence[str]) -> Difference:
    old, new = (msgspec.json.decode(told) if told else None for told in (here, there))
    if old is None or new is None:
        return Difference(workspace, key, "only_there" if old is None else "only_here", {})
    changed = {name: [old[name], new[name]] for name in names if old[name] != new[name]}
    return Difference(workspace, key, "changed", changed)
