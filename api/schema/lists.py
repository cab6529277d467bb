"""The lists of the API with their orders and filters, all derived from the indexes of the projections."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import strawberry

from api.errors import BadInput
from api.schema.filters import NOT_MERGED, Filter, filters_of
from api.schema.names import camel, list_name, type_name
from api.sql.cursors import Order
from crm import indexes
from crm.projection import Projection
from projections import PROJECTIONS

MAX_PAGE, DEFAULT_PAGE = 100, 20
ONCE = "Each person is listed once; `includeMerged` adds contacts that were merged into another one."
# Names of orders: the same thing has one name in all lists.
NAMES = {"opened_at": "created_at", "written_at": "created_at"}
MOVING = ("touched_at", "due_at")
ABOUT = {
    "timeline": "Timeline entries: everything that happened",
    "quarantine": "Deliveries that could not be parsed",
    "integrations": "Connections of the workspace: one configured URL and secret of a vendor each",
}


@dataclass(frozen=True)
class List:
    """A list. An index of its projection serves each order and filter. The first order is the default."""

    name: str
    projection: Projection[Any]
    orders: Mapping[str, Order]
    filters: Mapping[str, Filter]

    @property
    def default_order(self) -> str:
        return next(iter(self.orders))

    @property
    def about(self) -> str:
        about = f"{ABOUT.get(self.name, self.name.replace('_', ' ').capitalize())}, newest first by default."
        return f"{about} {ONCE}" if self.merges else about

    def about_orders(self, given: Collection[str]) -> str:
        """Describes the orders, with these filters and perhaps others."""
        about = "The sort order. Cursors are only valid for the order and filters that they came from."
        columns = {self.filters[filter].column for filter in given}
        for name, order in self.orders.items():
            if not (order.newest or moves(order)) and indexes.served(self.projection, self.order_of(name), columns):
                return f"{about} To page through all rows use {name}: changes do not move rows in it."
        return about

    @property
    def needs_filter(self) -> bool:
        """Tells whether the list needs a filter."""
        return not indexes.served(self.projection, self.order_of(self.default_order), ())

    def order_of(self, name: str) -> tuple[str, ...]:
        return self.orders[name].columns[:-1]

    def order(self, name: str, given: Collection[str]) -> Order:
        """Returns an order by its name. Raises BadInput when no index serves it together with these filters."""
        if self.needs_filter and not given:
            wanted = " or ".join(f"`{filter}`" for filter in self.filters)
            raise BadInput(f"`{self.name}` needs a filter: {wanted}. Nothing was read.")
        columns = {self.filters[filter].column for filter in given if self.filters[filter].looks_up}
        if indexes.served(self.projection, self.order_of(name), columns):
            return self.orders[name]
        by = ", ".join(f"`{filter}`" for filter in sorted(given))
        raise BadInput(f"No index serves {name} together with {by}. Nothing was read. Leave one of them out.")

    def conditions(
        self, given: Mapping[str, object], row: str, workspace: str, value: Callable[[str], str]
    ) -> list[str]:
        """Returns the SQL conditions of the filters in use, by name. `value` returns the SQL of a filter's argument.

        Lists of contacts show each person once, so merged contacts are excluded unless asked for.
        """
        people = self.merges and not given.get("include_merged") and "merged_into" not in given
        found = [NOT_MERGED.format(t=row)] if people else []
        for name, argument in given.items():
            condition = self.filters[name].chosen(argument, people)
            sql = value(name) if "{value}" in condition else ""
            found.append(condition.format(t=row, value=sql, workspace=workspace))
        return [condition for condition in dict.fromkeys(found) if condition]

    @property
    def merges(self) -> bool:
        return "include_merged" in self.filters


def named_filters(given: Mapping[str, str]) -> str:
    """Returns the filters in use with their arguments as text, for cursors, which are only valid for these filters."""
    return "".join(f"{name}={value}\x1f" for name, value in sorted(given.items()))


def lists() -> dict[str, List]:
    """Returns the lists by name, one for each projection that has an order."""
    found = {}
    for projection in PROJECTIONS.values():
        if indexes.orders(projection):
            name = list_name(projection.name)
            found[name] = List(name, projection, orders_of(projection), filters_of(projection))
    return found


def orders_of(projection: Projection[Any]) -> dict[str, Order]:
    """Returns `TOUCHED_AT_DESC` and `TOUCHED_AT_ASC` for each order of the indexes; the key breaks ties."""
    types = {c.name: c.type for c in projection.columns}
    required = {c.name: c.required for c in projection.columns}
    found = {}
    for columns in indexes.orders(projection):
        whole = *columns, projection.key
        known = all(required[column] for column in columns)
        for suffix, newest in (("DESC", True), ("ASC", False)):
            order = Order(projection.name, whole, tuple(types[c] for c in whole), newest, known)
            found[f"{NAMES.get(columns[0], columns[0]).upper()}_{suffix}"] = order
    return found


def moves(order: Order) -> bool:
    """Tells whether a change of a row moves it within this order."""
    return order.columns[0] in MOVING


def orders_enum(listed: List) -> Any:
    values = {name: strawberry.enum_value(name, description=order_about(o)) for name, o in listed.orders.items()}
    return Enum(f"{type_name(listed.projection.name)}Order", values)


def order_about(order: Order) -> str:
    about = f"By `{camel(order.columns[0])}`, {'descending' if order.newest else 'ascending'}."
    if moves(order):
        return f"{about} Changes move rows, so while you page a row may appear twice or be missed."
    return f"{about} Changes do not move rows, so every row appears once: use it to page through all rows."


def page_size(first: int | None, last: int | None) -> int:
    """Returns the page size from `first` and `last`. Raises BadInput."""
    if first is not None and last is not None:
        raise BadInput("Both `first` and `last` are given. Give one of them.")
    name, size = ("first", first) if last is None else ("last", last)
    size = DEFAULT_PAGE if size is None else size
    if not 1 <= size <= MAX_PAGE:
        raise BadInput(f"`{name}` is {size}; it takes 1 to {MAX_PAGE}. Read the rest with `after` or `before`.")
    return size


LISTS = lists()
