"""The lists that can be read: in which orders, by which filters; all of it from the indexes of the projections."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from api.cursors import Order
from api.errors import BadInput
from api.filters import Filter, filters_of
from api.named import list_name, type_name
from crm import indexes
from crm.projection import Projection
from projections import PROJECTIONS

LARGEST_PAGE, USUAL_PAGE = 100, 20
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
        return f"{ABOUT.get(self.name, self.name.replace('_', ' ').capitalize())}, the latest first if nothing is said."

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
        columns = {self.filters[filter].column for filter in given}
        if indexes.served(self.projection, self.order_of(name), columns):
            return self.orders[name]
        by = ", ".join(f"`{filter}`" for filter in sorted(given))
        raise BadInput(f"No index serves {name} together with {by}. Nothing was read; leave one of them out.")


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
            found[f"{columns[0].upper()}_{suffix}"] = order
    return found


def orders_enum(listed: List) -> Any:
    return Enum(f"{type_name(listed.projection.name)}Order", {name: name for name in listed.orders})


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
