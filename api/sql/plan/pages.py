"""A connection: a page of a list as one sub-select, which may stand inside its parent's row."""

from functools import cached_property

from graphql.execution.values import VariableValues

from api.schema.filters import parameter, text_of
from api.schema.lists import LARGEST_PAGE, LISTS, List, named_filters, page_size
from api.schema.names import camel
from api.sql.cursors import TAG, Order, of_this_list, tag_below
from api.sql.plan.statement import WORKSPACE, Read, Rule, Site
from api.sql.statements import COUNTED

KEYS = {"merged_into": "contact_id", "candidate": "deal_id"}  # of rows that stand for a filter of another name


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
        def value(name: str) -> str:
            if name == self.parent:
                return self.around
            return self.site.writer.parameter(filtered(self.site, name, self.listed))

        above = {self.parent: None} if self.parent else {}
        return self.listed.conditions({**above, **self.filters}, "t", WORKSPACE, value)

    @property
    def around(self) -> str:
        """The key of the row around, which the parent's filter is compared with."""
        return f"{self.site.row}.{KEYS.get(self.parent, f'{self.parent}_id')}"

    @cached_property
    def tagged(self) -> Read:
        """What this list's cursors begin with; below a row, what that is made of together with the row's key."""
        order, own = self.order, {name: filtered(self.site, name, self.listed) for name in self.filters}

        def read(variables: VariableValues) -> str:
            filters = named_filters({name: read(variables) for name, read in own.items()})
            return order.name + filters if self.parent else order.tag(filters)

        return read

    @cached_property
    def tag(self) -> str:
        """The SQL of it. A parameter that is asked for must be used."""
        given = f"{self.site.writer.parameter(self.tagged)}::text"
        return tag_below(given, self.around) if self.parent else given

    def beyond(self, name: str) -> list[str]:
        if self.site.given.get(name) is None:
            return []
        cursor, writer, order = self.site.argument(name), self.site.writer, self.order
        tagged = None if self.parent else self.tagged  # Postgres alone knows the key of a row

        def placed(column: int) -> Read:
            """One of the values in a cursor. Raises BadCursor, the first of them for another list's."""
            of_list = None if column else tagged
            return lambda variables: order.position(cursor(variables), of_list and of_list(variables))[column]

        places = tuple(writer.parameter(placed(n)) for n, _ in enumerate(order.columns))
        found = [order.beyond("t", places, name == "before")]
        if self.parent:
            found.append(of_this_list(writer.parameter(lambda variables: cursor(variables)[:TAG]), self.tag))
        return found

    def parts(self, counted: str) -> dict[str, str | Rule]:
        """The fields of the connection."""
        more = f"count(*) > {self.size}"
        bounded = {name: str(self.site.given.get(name) is not None).lower() for name in ("after", "before")}
        info: dict[str, str | Rule] = {
            "hasNextPage": bounded["before"] if self.backwards else more,
            "hasPreviousPage": more if self.backwards else bounded["after"],
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
            "totalCount": lambda site: self.total(site, counted),
        }

    def rows(self, value: str) -> str:
        """All rows of the page, each as `value`."""
        return f"coalesce(json_agg({value} ORDER BY {self.shown_by}){self.within}, '[]')"

    def cursor(self, place: str) -> str:
        """Of one of the rows, counted from 1; null when there is none."""
        return self.order.cursor(
            self.tag,
            tuple(
                f"(array_agg({self.row}.{column} ORDER BY {self.shown_by}){self.within})[{place}]"
                for column in self.order.columns
            ),
        )

    def total(self, site: Site, counted: str) -> str:
        row = site.writer.row()
        parts = {"count": f"least({row}.n, {COUNTED})", "capped": f"{row}.n > {COUNTED}"}
        some = f"SELECT FROM read.{self.order.projection} AS t WHERE {counted} LIMIT {COUNTED + 1}"
        return f"(SELECT {site.object(row, parts)} FROM (SELECT count(*) AS n FROM ({some}) AS c) AS {row})"


def filtered(site: Site, name: str, listed: List) -> Read:
    """The argument of a filter, as its statement takes it."""
    read, filter = site.argument(camel(name)), listed.filters[name]
    return lambda variables: text_of(parameter(filter, read(variables)))
