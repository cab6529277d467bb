"""The lists that can be read: in which orders, by which filters; all of it from the indexes of the projections."""

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

LARGEST_PAGE, USUAL_PAGE = 100, 20
PEOPLE = "Each person is one card: `includeMerged` adds the cards that were merged into another."
# Of orders: what is the same has one name in all lists.
NAMES = {"opened_at": "created_at", "written_at": "created_at"}
MOVING = ("touched_at", "due_at")
ABOUT = {"timeline": "What happened", "quarantine": "Deliveries that could not be understood"}


@dataclass(frozen=True)
class List:
    """Each order and filter is served by an index of its projection. The first order is what callers get unasked."""

    name: str
    projection: Projection[Any]
    orders: Mapping[str, Order]
    filters: Mapping[str, Filter]

    @property
    def usual(self) -> str:
        return next(iter(self.orders))

    @property
    def about(self) -> str:
        told = f"{ABOUT.get(self.name, self.name.replace('_', ' ').capitalize())}, the latest first by default."
        return f"{told} {PEOPLE}" if self.merges else told

    def about_orders(self, given: Collection[str]) -> str:
        """With these filters, and others."""
        told = "A cursor is good for the order and the filters that it came from."
        columns = {self.filters[filter].column for filter in given}
        for name, order in self.orders.items():
            if not (order.newest or moves(order)) and indexes.served(self.projection, self.order_of(name), columns):
                return f"{told} To page through everything: {name}, in which no change moves a row."
        return told

    @property
    def narrowed(self) -> bool:
        """Only a filter makes it short enough to be read."""
        return not indexes.served(self.projection, self.order_of(self.usual), ())

    def order_of(self, name: str) -> tuple[str, ...]:
        return self.orders[name].columns[:-1]

    def order(self, name: str, given: Collection[str]) -> Order:
        """By its name, with these filters. Raises BadInput when no index serves both."""
        if self.narrowed and not given:
            wanted = " or ".join(f"`{filter}`" for filter in self.filters)
            raise BadInput(f"`{self.name}` is of one thing: by {wanted}. Nothing was read; give one of them.")
        columns = {self.filters[filter].column for filter in given if self.filters[filter].looks_up}
        if indexes.served(self.projection, self.order_of(name), columns):
            return self.orders[name]
        by = ", ".join(f"`{filter}`" for filter in sorted(given))
        raise BadInput(f"No index serves {name} together with {by}. Nothing was read; leave one of them out.")

    def conditions(
        self, given: Mapping[str, object], row: str, workspace: str, value: Callable[[str], str]
    ) -> list[str]:
        """SQL of the filters in use, given by name. `value`: gives the SQL of one's argument. Lists of contacts are of
        people: a merged card is in them only when somebody asks for it."""
        people = self.merges and not given.get("include_merged") and "merged_into" not in given
        found = [NOT_MERGED.format(t=row)] if people else []
        for name, told in given.items():
            condition = self.filters[name].chosen(told, people)
            placed = value(name) if "{value}" in condition else ""
            found.append(condition.format(t=row, value=placed, workspace=workspace))
        return [condition for condition in dict.fromkeys(found) if condition]

    @property
    def merges(self) -> bool:
        return "include_merged" in self.filters


def named_filters(given: Mapping[str, str]) -> str:
    """The filters in use with their arguments as text, for the cursors that are good for them alone."""
    return "".join(f"{name}={value}\x1f" for name, value in sorted(given.items()))


def lists() -> dict[str, List]:
    """Of each projection that has an order."""
    found = {}
    for projection in PROJECTIONS.values():
        if indexes.orders(projection):
            name = list_name(projection.name)
            found[name] = List(name, projection, orders_of(projection), filters_of(projection))
    return found


def orders_of(projection: Projection[Any]) -> dict[str, Order]:
    """`TOUCHED_AT_DESC` and `TOUCHED_AT_ASC` for each order of the indexes; the key decides between equals."""
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
    """A change of a row moves it."""
    return order.columns[0] in MOVING


def orders_enum(listed: List) -> Any:
    values = {name: strawberry.enum_value(name, description=order_about(o)) for name, o in listed.orders.items()}
    return Enum(f"{type_name(listed.projection.name)}Order", values)


def order_about(order: Order) -> str:
    told = f"By `{camel(order.columns[0])}`, {'downwards' if order.newest else 'upwards'}."
    if moves(order):
        return f"{told} A row that changes moves: while pages are read, it may come twice or be missed."
    return f"{told} A change never moves a row, so every row comes once: page through everything by this."


def page_size(first: int | None, last: int | None) -> int:
    """Raises BadInput."""
    if first is not None and last is not None:
        raise BadInput("Both `first` and `last` are given. Give one of them.")
    name, size = ("first", first) if last is None else ("last", last)
    size = USUAL_PAGE if size is None else size
    if not 1 <= size <= LARGEST_PAGE:
        raise BadInput(f"`{name}` is {size}; it takes 1 to {LARGEST_PAGE}. Read the rest with `after` or `before`.")
    return size


LISTS = lists()
