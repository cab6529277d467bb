"""A page of a list (a GraphQL connection) as one sub-select, possibly inside of its parent's row."""

from collections.abc import Callable
from functools import cached_property

from graphql.execution.values import VariableValues

from api.schema.filters import parameter, text_of
from api.schema.lists import LISTS, MAX_PAGE, List, named_filters, page_size
from api.schema.names import camel
from api.schema.where import conditions_in
from api.sql.cursors import TAG, Order, cursor_belongs, tag_below
from api.sql.custom_fields import PageSource
from api.sql.plan.statement import WORKSPACE, Read, Rule, Site
from api.sql.statements import COUNTED

KEYS = {"merged_into": "contact_id", "candidate": "deal_id"}  # of rows that replace a filter of another name


def page(name: str, parent: str = "") -> Rule:
    """Returns the rule for a list. `parent`: the filter that the enclosing row replaces."""
    return lambda site: Page(site, LISTS[name], parent).sql()


class Page:
    """Writes a page. `t` is a row in the inner select, with the alias `row` outside; both have all columns."""

    def __init__(self, site: Site, listed: List, parent: str) -> None:
        """Raises BadInput when no index serves the order with these filters."""
        self.site, self.listed, self.parent = site, listed, parent
        given = site.given
        self.filters = {f: given[camel(f)] for f in listed.filters if given.get(camel(f)) is not None}
        self.filters |= conditions_in(listed.where, given.get("where"))
        order_by = given["orderBy"]
        name = getattr(order_by, "value", order_by)
        self.order: Order = listed.order(name, [*self.filters, *([parent] if parent else [])])
        self.backwards = given.get("last") is not None
        self.row, self.placeholders = site.writer.row(), dict[str, str]()
        chosen = site.writer.selection.fields(site.kind, site.sets).values()
        self.reads_one_more = any(nodes[0].name.value == "pageInfo" for nodes in chosen)  # whether there is one more
        self.by, self.shown_by = self.order.by("t", self.backwards), self.order.by(self.row)

    def sql(self) -> str:
        first, last = self.site.argument("first"), self.site.argument("last")
        size = self.site.writer.parameter(lambda variables: str(page_size(first(variables), last(variables))))
        self.size = f"{size}::bigint"
        above = {self.parent: None} if self.parent else {}
        source = PageSource(self.listed, self.order, above | self.filters, WORKSPACE, self.value, self.backwards)
        built = self.site.object(self.row, self.parts(source.counted), aggregates=True)
        size = f"{self.size}{' + 1' if self.reads_one_more else ''}"
        # With an unknown limit the planner would sort; with a hundred it walks along the index.
        inner = (
            f"SELECT t.*{self.numbered} FROM {source.sql([*self.beyond('after'), *self.beyond('before')], size)} "
            f"ORDER BY {self.by} LIMIT {MAX_PAGE + 1}"
        )
        read = f"SELECT * FROM ({inner}) AS p LIMIT {size}"
        return f"(SELECT {built} FROM ({read}) AS {self.row} GROUP BY ())"

    @property
    def numbered(self) -> str:
        return f", row_number() OVER (ORDER BY {self.by}) AS rn" if self.reads_one_more else ""

    @property
    def within(self) -> str:
        """Excludes the additional row that was read to see whether there is a next page."""
        return f" FILTER (WHERE {self.row}.rn <= {self.size})" if self.reads_one_more else ""

    def value(self, name: str) -> str:
        """Returns the SQL of a filter's argument."""
        if name == self.parent:
            return self.parent_key
        if name not in self.placeholders:
            self.placeholders[name] = self.site.writer.parameter(filtered(self.site, name, self.listed))
        return self.placeholders[name]

    @property
    def parent_key(self) -> str:
        """The key of the enclosing row, with which the parent's filter is compared."""
        return f"{self.site.row}.{KEYS.get(self.parent, f'{self.parent}_id')}"

    @cached_property
    def tagged(self) -> Read:
        """Reads the tag of this list's cursors; below a row, the text from which it is made with the row's key."""
        order, own = self.order, {name: filtered(self.site, name, self.listed) for name in self.filters}

        def read(variables: VariableValues) -> str:
            filters = named_filters({name: read(variables) for name, read in own.items()})
            return order.name + filters if self.parent else order.tag(filters)

        return read

    @cached_property
    def tag(self) -> str:
        """The SQL of the tag. Postgres refuses parameters that are not used, so it is made only where it is needed."""
        given = f"{self.site.writer.parameter(self.tagged)}::text"
        return tag_below(given, self.parent_key) if self.parent else given

    def beyond(self, name: str) -> list[str]:
        if self.site.given.get(name) is None:
            return []
        cursor, writer, order = self.site.argument(name), self.site.writer, self.order
        tagged = None if self.parent else self.tagged  # only Postgres knows the key of a row

        def value_at(column: int) -> Read:
            """Reads one of the values in a cursor. Raises BadCursor; only the first checks the list."""
            of_list = None if column else tagged
            return lambda variables: order.position(cursor(variables), of_list and of_list(variables))[column]

        values = tuple(writer.parameter(value_at(n)) for n, _ in enumerate(order.columns))
        found = [order.beyond("t", values, name == "before")]
        if self.parent:
            found.append(cursor_belongs(writer.parameter(lambda variables: cursor(variables)[:TAG]), self.tag))
        return found

    def parts(self, counted: Callable[[], str]) -> dict[str, str | Rule]:
        """Returns the fields of the connection."""
        more = f"count(*) > {self.size}"
        has_cursor = {name: str(self.site.given.get(name) is not None).lower() for name in ("after", "before")}
        info: dict[str, str | Rule] = {
            "hasNextPage": has_cursor["before"] if self.backwards else more,
            "hasPreviousPage": more if self.backwards else has_cursor["after"],
            "startCursor": lambda _: self.cursor("1"),
            "endCursor": lambda _: self.cursor(f"least(count(*), {self.size})"),
        }
        edge: dict[str, str | Rule] = {
            "cursor": lambda _: self.order.cursor_of(self.tag, self.row),
            "node": lambda site: site.object(self.row),
        }
        return {
            "edges": lambda site: self.rows(site.object(self.row, edge)),
            "nodes": lambda site: self.rows(site.object(self.row)),
            "pageInfo": lambda site: site.object("", info, aggregates=True),
            "totalCount": lambda site: self.total(site, counted()),
        }

    def rows(self, value: str) -> str:
        """Returns SQL for all rows of the page, each as `value`."""
        return f"coalesce(json_agg({value} ORDER BY {self.shown_by}){self.within}, '[]')"

    def cursor(self, index: str) -> str:
        """Returns SQL for the cursor of a row, counted from 1; null when there is none."""
        return self.order.cursor(
            self.tag,
            tuple(
                f"(array_agg({self.row}.{column} ORDER BY {self.shown_by}){self.within})[{index}]"
                for column in self.order.columns
            ),
        )

    def total(self, site: Site, counted: str) -> str:
        row = site.writer.row()
        parts = {"count": f"least({row}.n, {COUNTED})", "capped": f"{row}.capped"}
        return f"(SELECT {site.object(row, parts)} FROM ({counted}) AS {row})"


def filtered(site: Site, name: str, listed: List) -> Read:
    """Reads the argument of a filter as an SQL parameter."""
    filter = listed.every(name)
    if name in listed.filters:
        read = site.argument(camel(name))
        return lambda variables: text_of(parameter(filter, read(variables)))
    where = site.argument("where")
    return lambda variables: text_of(parameter(filter, conditions_in(listed.where, where(variables))[name]))
