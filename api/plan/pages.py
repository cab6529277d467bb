"""A connection: a page of a list as one sub-select, which may stand inside its parent's row."""

from collections.abc import Callable
from typing import Any

from graphql.execution.values import VariableValues

from api.cursors import Order
from api.errors import BadCursor
from api.lists import LISTS, List, parameter
from api.plan.rows import survivor
from api.plan.statement import WORKSPACE, Read, Rule, Site, Unfit
from api.sql import OPEN_DEAL, SAME_CONTACT
from projections import PROJECTIONS

LARGEST_PAGE = 100
OPEN_DEALS = 20
ORDER = LISTS["deals"].order


def page(name: str, parent: str = "") -> Rule:
    """`parent`: the filter that the row around it stands for."""
    return lambda site: Page(site, LISTS[name], parent).sql()


class Page:
    """`t` is a row of the page in the inner select and its alias is `row` outside: both have all columns."""

    def __init__(self, site: Site, listed: List, parent: str) -> None:
        self.site, self.listed, self.parent = site, listed, parent
        self.order: Order = listed.order
        self.row = site.writer.row()
        self.after = site.given.get("after") is not None

    def sql(self) -> str:
        """Raises Unfit."""
        first = self.site.argument("first")
        self.limit = f"{self.site.writer.parameter(lambda variables: page_size(first(variables)))}::bigint"
        where = " AND ".join([f"t.workspace = {WORKSPACE}", *self.conditions(), *self.beyond()])
        built = self.site.object(self.row, self.parts())
        by = self.order.by("t")
        # A plan for whatever limit would sort; for a hundred it walks along the index.
        inner = (
            f"SELECT t.*, row_number() OVER (ORDER BY {by}) AS rn FROM read.{self.order.projection} AS t "
            f"WHERE {where} ORDER BY {by} LIMIT {LARGEST_PAGE + 1}"
        )
        return f"(SELECT {built} FROM (SELECT * FROM ({inner}) AS p LIMIT {self.limit} + 1) AS {self.row} GROUP BY ())"

    def conditions(self) -> list[str]:
        found = []
        for name, filter in self.listed.filters.items():
            if name == self.parent:
                key = PROJECTIONS[name].key
                found.append(filter.sql(None, "t", f"{self.site.row}.{key}", WORKSPACE))
            elif (given := self.site.given.get(name)) is not None:
                value = ""
                if "{value}" in filter.chosen(given):
                    value = self.site.writer.parameter(filtered(self.site, name, self.listed))
                found.append(filter.sql(given, "t", value, WORKSPACE))
        if self.listed.projection == "timeline" and not found:
            raise Unfit("a timeline is of a contact or of a deal")
        return found

    def beyond(self) -> list[str]:
        if not self.after:
            return []
        after, writer = self.site.argument("after"), self.site.writer
        placeholders = tuple(writer.parameter(placed(self.order, after, n)) for n, _ in enumerate(self.order.columns))
        return [self.order.beyond("t", placeholders)]

    def parts(self) -> dict[str, str | Rule]:
        """The fields of the connection."""
        info = {
            "hasNextPage": f"count(*) > {self.limit}",
            "hasPreviousPage": str(self.after).lower(),
            "startCursor": self.cursor("1"),
            "endCursor": self.cursor(f"least(count(*), {self.limit})"),
        }
        edge: dict[str, str | Rule] = {
            "cursor": self.order.cursor_of(self.row),
            "node": lambda site: site.object(self.row),
        }
        return {
            "edges": lambda site: self.rows(site.object(self.row, edge)),
            "nodes": lambda site: self.rows(site.object(self.row)),
            "pageInfo": lambda site: site.object("", dict(info)),
        }

    def rows(self, value: str) -> str:
        """All rows of the page, each as `value`."""
        shown = f"json_agg({value} ORDER BY {self.order.by(self.row)}) FILTER (WHERE {self.row}.rn <= {self.limit})"
        return f"coalesce({shown}, '[]')"

    def cursor(self, place: str) -> str:
        """Of one of the rows, counted from 1; null when there is none."""
        return self.order.cursor(
            tuple(
                f"(array_agg({self.row}.{column} ORDER BY {self.order.by(self.row)}))[{place}]"
                for column in self.order.columns
            )
        )


def page_size(first: object) -> str:
    """Raises Unfit."""
    if not isinstance(first, int) or not 1 <= first <= LARGEST_PAGE:
        raise Unfit("first")
    return str(first)


def filtered(site: Site, name: str, listed: List) -> Read:
    read, filter = site.argument(name), listed.filters[name]

    def parameter_of(variables: VariableValues) -> str:
        value = parameter(filter, read(variables))
        return str(value).lower() if isinstance(value, bool) else str(value)

    return parameter_of


def placed(order: Order, read: Callable[[VariableValues], Any], column: int) -> Read:
    """One of the values in a cursor. Raises Unfit when it is no cursor of this order."""

    def parameter_of(variables: VariableValues) -> str:
        try:
            return order.position(read(variables))[column]
        except BadCursor:
            raise Unfit("a cursor") from None

    return parameter_of


def open_deals(contact: str) -> Rule:
    """Those of the card that a contact became, at most twenty. `contact`: the column with its key."""
    return lambda site: worked_on(
        site, contact, lambda row: f"coalesce(json_agg({site.object(row)} ORDER BY {ORDER.by(row)}), '[]')"
    )


def owner(contact: str) -> Rule:
    """Who has the latest of them."""
    return lambda site: worked_on(
        site,
        contact,
        lambda row: f"(array_agg({row}.owner ORDER BY {ORDER.by(row)}) FILTER (WHERE {row}.owner <> ''))[1]",
    )


def worked_on(site: Site, contact: str, built: Callable[[str], str]) -> str:
    row = site.writer.row()
    card = f"coalesce((SELECT u.contact_id FROM ({survivor(f'{site.row}.{contact}')}) AS u), {site.row}.{contact})"
    same = SAME_CONTACT.format(value="s.id", workspace=WORKSPACE)
    deals = (
        f"SELECT t.* FROM (SELECT {card} AS id) AS s, read.deal AS t WHERE t.workspace = {WORKSPACE} "
        f"AND t.contact_id = ANY ({same}) AND {OPEN_DEAL.format(t='t')} ORDER BY {ORDER.by('t')} LIMIT {OPEN_DEALS}"
    )
    return f"(SELECT {built(row)} FROM ({deals}) AS {row})"
