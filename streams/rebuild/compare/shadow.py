"""Compares two tables of one projection: counts equal, changed and missing rows, and gives examples."""

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
    """A row that differs between the table that is read (`here`) and the rebuilt one (`there`)."""

    workspace: Id
    key: Id
    kind: str  # changed, only_here or only_there
    columns: dict[str, list[Any]]  # those that differ: [here, there], null where the row is missing


class ShadowReport(msgspec.Struct):
    """Counts of rows. `moving`: left out, as they changed while the tables were compared."""

    equal: int
    changed: int
    only_here: int
    only_there: int
    moving: int
    compared: list[str]  # columns that both tables have
    examples: list[Difference]

    @property
    def same(self) -> bool:
        """Returns whether no row differs."""
        return not (self.changed or self.only_here or self.only_there)


def compare_rows(
    conn: Connection, projection: Projection[Any], here: Served, there: Served, moving: Collection[Id] = ()
) -> ShadowReport:
    """Compares table `here`, which is read, with the rebuilt `there`, but for rows with a key in `moving`.

    Columns that only one of them has are not compared.
    """
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
        query = SQL(
            "SELECT coalesce(o.workspace, n.workspace)::text, coalesce(o.{key}, n.{key})::text, "
            "row_to_json(o)::text, row_to_json(n)::text {pairs} AND (o.{key} IS NULL OR n.{key} IS NULL OR NOT {same}) "
            "ORDER BY 2 LIMIT {limit}"
        ).format(key=key, pairs=pairs, same=same, limit=EXAMPLES)
        examples = [difference(w, k, o, n, names) for w, k, o, n in conn.execute(query, [keys]).fetchall()]
    return ShadowReport(equal, changed, only_here, only_there, len(keys), names, examples)


def row(table: str, names: Sequence[str]) -> Composable:
    return SQL(", ").join(Identifier(table, name) for name in names)


def difference(workspace: Id, key: Id, here: str | None, there: str | None, names: Sequence[str]) -> Difference:
    old, new = (msgspec.json.decode(text) if text else None for text in (here, there))
    if old is None or new is None:
        return Difference(workspace, key, "only_there" if old is None else "only_here", {})
    changed = {name: [old[name], new[name]] for name in names if old[name] != new[name]}
    return Difference(workspace, key, "changed", changed)
