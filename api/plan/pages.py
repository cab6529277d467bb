"""A connection: a page of a list as one sub-select, which may stand inside its parent's row."""

from collections.abc import Callable
from typing import Any

from graphql.execution.values import VariableValues

from api.cursors import Order
from api.filters import parameter
from api.lists import LARGEST_PAGE, LISTS, List, page_size
from api.named import camel
from api.plan.statement import WORKSPACE, Read, Rule, Site
from api.sql import COUNTED


def page(name: str, parent: str = "") -> Rule:
    """`parent`: the filter that the row around it stands for."""
    return lambda site: Page(site, LISTS[name], parent).sql()


class Page:
    """`t` is a row of the page in the inner select and its alias is `row` outside: both have all columns."""

    def __init__(self, site: Site, listed: List, parent: str) -> None:
        """Raises BadInput when no index serves what is asked."""
        self.site, self.listed, self.parent = site, listed, parent
        given = site.given
        self.filters = {f: given[camel(f)] for f in listed.filters if given.get(camel(f)) is not None}
        order_by = given["orderBy"]
        name = getattr(order_by, "value", order_by)
        self.order: Order = listed.order(name, [*self.filters, *([parent] if parent else [])])
        self.backwards = given.get("last") is not None
        self.row = site.writer.row()
        chosen = site.writer.selection.fields(site.kind, site.sets).values()
        self.peeks = any(nodes[0].name.value == "pageInfo" for nodes in chosen)  # whether there is one more
        self.by, self.shown_by = self.order.by("t", self.backwards), self.order.by(self.row)

    def sql(self) -> str:
        first, last = self.site.argument("first"), self.site.argument("last")
        size = self.site.writer.parameter(lambda variables: str(page_size(first(variables), last(variables))))
        self.size = f"{size}::bigint"
        conditions = [f"t.workspace = {WORKSPACE}", *self.order.conditions("t"), *self.conditions()]
        where = " AND ".join([*conditions, *self.beyond("after"), *self.beyond("before")])
        built = self.site.object(self.row, self.parts(" AND ".join(conditions)), aggregates=True)
        # A plan for whatever limit would sort; for a hundred it walks along the index.
        inner = (
            f"SELECT t.*{self.numbered} FROM read.{self.order.projection} AS t "
            f"WHERE {where} ORDER BY {self.by} LIMIT {LARGEST_PAGE + 1}"
        )
        read = f"SELECT * FROM ({inner}) AS p LIMIT {self.size}{' + 1' if self.peeks else ''}"
        return f"(SELECT {built} FROM ({read}) AS {self.row} GROUP BY ())"

    @property
    def numbered(self) -> str:
        return f", row_number() OVER (ORDER BY {self.by}) AS rn" if self.peeks else ""

    @property
    def within(self) -> str:
        """Leaves out the one row more that was read."""
        return f" FILTER (WHERE {self.row}.rn <= {self.size})" if self.peeks else ""

    def conditions(self) -> list[str]:
        found = []
        if self.parent:
            found.append(self.listed.filters[self.parent].sql(None, "t", f"{self.site.row}.{self.key()}", WORKSPACE))
        for name, given in self.filters.items():
            filter, value = self.listed.filters[name], ""
            if "{value}" in filter.chosen(given):
                value = self.site.writer.parameter(filtered(self.site, name, self.listed))
            found.append(filter.sql(given, "t", value, WORKSPACE))
        return found

    def key(self) -> str:
        """The column of the row around that the parent's filter is compared with."""
        return "contact_id" if self.parent == "merged_into" else f"{self.parent}_id"

    def beyond(self, name: str) -> list[str]:
        if self.site.given.get(name) is None:
            return []
        read, writer = self.site.argument(name), self.site.writer
        placeholders = tuple(writer.parameter(placed(self.order, read, n)) for n, _ in enumerate(self.order.columns))
        return [self.order.beyond("t", placeholders, name == "before")]

    def parts(self, counted: str) -> dict[str, str | Rule]:
        """The fields of the connection."""
        more = f"count(*) > {self.size}"
        bounded = {name: str(self.site.given.get(name) is not None).lower() for name in ("after", "before")}
        info = {
            "hasNextPage": bounded["before"] if self.backwards else more,
            "hasPreviousPage": more if self.backwards else bounded["after"],
            "startCursor": self.cursor("1"),
            "endCursor": self.cursor(f"least(count(*), {self.size})"),
        }
        edge: dict[str, str | Rule] = {
            "cursor": self.order.cursor_of(self.row),
            "node": lambda site: site.object(self.row),
        }
        return {
            "edges": lambda site: self.rows(site.object(self.row, edge)),
            "nodes": lambda site: self.rows(site.object(self.row)),
            "pageInfo": lambda site: site.object("", dict(info), aggregates=True),
            "totalCount": lambda site: self.total(site, counted),
        }

    def rows(self, value: str) -> str:
        """All rows of the page, each as `value`."""
        return f"coalesce(json_agg({value} ORDER BY {self.shown_by}){self.within}, '[]')"

    def cursor(self, place: str) -> str:
        """Of one of the rows, counted from 1; null when there is none."""
        return self.order.cursor(
            tuple(
                f"(array_agg({self.row}.{column} ORDER BY {self.shown_by}){self.within})[{place}]"
                for column in self.order.columns
            )
        )

    def total(self, site: Site, counted: str) -> str:
        row = site.writer.row()
        parts = {"count": f"least({row}.n, {COUNTED})", "capped": f"{row}.n > {COUNTED}"}
        some = f"SELECT FROM read.{self.order.projection} AS t WHERE {counted} LIMIT {COUNTED + 1}"
        return f"(SELECT {site.object(row, parts)} FROM (SELECT count(*) AS n FROM ({some}) AS c) AS {row})"


def filtered(site: Site, name: str, listed: List) -> Read:
    read, filter = site.argument(camel(name)), listed.filters[name]

    def parameter_of(variables: VariableValues) -> str:
        value = parameter(filter, read(variables))
        return str(value).lower() if isinstance(value, bool) else str(value)

    return parameter_of


def placed(order: Order, read: Callable[[VariableValues], Any], column: int) -> Read:
    """One of the values in a cursor. Raises BadCursor."""
    return lambda variables: order.position(read(variables))[column]
