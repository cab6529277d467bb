"""The rows of a list's page, as both the plan and the resolvers read them: what stands behind FROM.

One index gives the rows in their order. It is read once for each value of a filter, and the pages are merged: a page
costs as much as one page of each value, however many rows have them. A single value is read in the same way, as the
planner, who knows that most rows have it, would else walk through all rows in their order.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from api.schema.lists import MAX_PAGE, List
from api.sql.cursors import Order
from api.sql.statements import COUNTED


@dataclass(frozen=True)
class Source:
    """`given`: the filters in use by name, `value` returns the SQL of one's argument. Rows have the alias t."""

    listed: List
    order: Order
    given: Mapping[str, object]
    workspace: str
    value: Callable[[str], str]
    backwards: bool = False

    def counted(self) -> str:
        """Returns the statement that counts the rows of the whole list, as `n`; `capped`: there may be more."""
        some = f"SELECT FROM read.{self.order.projection} AS t WHERE {' AND '.join(self.chosen())} LIMIT {COUNTED + 1}"
        return f"SELECT count(*) AS n, count(*) > {COUNTED} AS capped FROM ({some}) AS c"

    def chosen(self, each: Mapping[str, str] | None = None, only: Collection[str] | None = None) -> list[str]:
        filtered = self.listed.conditions(self.given, "t", self.workspace, self.value, each, only)
        return [f"t.workspace = {self.workspace}", *self.order.conditions("t"), *filtered]

    def sql(self, beyond: Iterable[str], size: str) -> str:
        """Returns the source. `beyond`: conditions of cursors; `size`: SQL of how many rows are read at most."""
        view = f"read.{self.order.projection} AS t"
        several = self.listed.several(self.order, self.given)
        if several is None and (few := self.listed.referring(self.given)):
            # OFFSET 0 keeps the planner from reading the list in its order, or by a range, until it has found these.
            found = f"SELECT t.* FROM {view} WHERE {' AND '.join(self.chosen(only=few))} OFFSET 0"
            rest = [*self.chosen(only=self.given.keys() - set(few)), *beyond]
            return f"({found}) AS t WHERE {' AND '.join(rest)}"
        each = {name: f"v{n}.x" for n, name in enumerate(several or ())}
        rows = f"{view} WHERE {' AND '.join([*self.chosen(each), *beyond])}"
        if not each:
            return rows
        # Two limits, as a planner that does not know the size would sort.
        page = f"SELECT t.* FROM {rows} ORDER BY {self.order.by('t', self.backwards)} LIMIT {MAX_PAGE + 1}"
        values = ", ".join(self.values(name, f"v{n}") for n, name in enumerate(each))
        return f"{values}, LATERAL (SELECT * FROM ({page}) AS p LIMIT {size}) AS t"

    def values(self, name: str, alias: str) -> str:
        """Returns the values of a filter as a table of one column."""
        kinds = {c.name: c.type for c in self.listed.projection.columns}
        kind, value = kinds[self.listed.every(name).column], self.value(name)
        if name.endswith("__in"):
            return f"unnest({value}::{kind}[]) AS {alias}(x)"
        return f"(SELECT {value}::{kind} OFFSET 0) AS {alias}(x)"
