"""The lists of the API with their orders and filters, all derived from the indexes of the projections."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import strawberry

from api.errors import BadInput
from api.schema import field_ranges
from api.schema.filters import NOT_MERGED, Filter, filters_of
from api.schema.names import camel, list_name, type_name
from api.schema.where import Field, where_of
from api.sql.cursors import Order
from crm import indexes
from crm.projection import Projection
from projections import PROJECTIONS

MAX_PAGE, DEFAULT_PAGE = 100, 20
ONCE = "Each person is listed once; `includeMerged` adds contacts that were merged into another one."
# Names of orders: the same thing has one name in all lists.
NAMES = {"opened_at": "created_at", "written_at": "created_at"}
MOVING = {"field_value", "touched_at", "due_at", "closed_at", "amount_minor", "name_key", "place"}
FIRST_TO_LAST = {"place"}  # orders that begin at the smallest unless they are asked for the other way round
ABOUT = {
    "deal_lines": "Lines of deals",
    "timeline": "Timeline entries: everything that happened",
    "quarantine": "Deliveries that could not be parsed",
    "integrations": "Connections of the workspace: one configured URL and secret of a vendor each",
}


class Served(NamedTuple):
    """What goes with an order: the fields compared for equality, of which () is none, and the field of its range."""

    filters: tuple[tuple[str, ...], ...]
    ranged: str


@dataclass(frozen=True)
class List:
    """A list. An index of its projection serves each order and filter. The first order is the default."""

    name: str
    projection: Projection[Any]
    orders: Mapping[str, Order]
    filters: Mapping[str, Filter]
    where: Mapping[str, Field]

    @property
    def default_order(self) -> str:
        return next(iter(self.orders))

    @property
    def about(self) -> str:
        order = "newest first" if self.orders[self.default_order].newest else "in their order"
        about = f"{ABOUT.get(self.name, self.name.replace('_', ' ').capitalize())}, {order} by default."
        return f"{about} {ONCE}" if self.merges else about

    def about_orders(self, given: Collection[str]) -> str:
        """Describes the orders, with these filters and perhaps others."""
        about = "The sort order. Cursors are only valid for the order and filters that they came from."
        columns, _ = self.columns(given)
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

    def every(self, name: str) -> Filter:
        """Returns a filter, or an operator of `where` such as `stage__in`."""
        field, _, operator = name.partition("__")
        return self.where[field].conditions[operator] if operator else self.filters[field]

    def order(self, name: str, given: Collection[str]) -> Order:
        """Returns an order by its name. Raises BadInput when no index serves it together with these filters."""
        if not given and not self.by_field(name) and not self.serves(name, ()):
            wanted = " or ".join(f"`{camel(filter)}`" for filter in self.filters)
            raise BadInput(f"`{camel(self.name)}` needs a filter: {wanted}. Nothing was read.")
        if self.by_field(name) and field_ranges.RANGE not in given:
            raise BadInput(
                f"{name} sorts by one custom field. Nothing was read. Name it in `where`, such as "
                '`fields: [{ key: "size", isNull: false }]`.'
            )
        if self.serves(name, given):
            return self.orders[name]
        by = ", ".join(f"`{name}`" for name in dict.fromkeys(map(shown_name, sorted(given))))
        raise BadInput(
            f"No index serves {name} together with {by}. Nothing was read. Leave one of them out. {self.about_served()}"
        )

    def by_field(self, name: str) -> bool:
        """Tells whether an order is by a custom field."""
        return name.startswith(f"{field_ranges.ORDER}_")

    def serves(self, name: str, given: Collection[str]) -> bool:
        """Tells whether an index serves an order with these filters. That of a custom field is read up to a bound."""
        if self.by_field(name):
            return field_ranges.RANGE in given
        equal, ranges = self.columns(given)
        return indexes.served(self.projection, self.order_of(name), equal, ranges)

    def columns(self, given: Collection[str]) -> tuple[set[str], set[str]]:
        """Returns the columns that these filters compare for equality, and those that they compare otherwise."""
        chosen = [filter for filter in map(self.every, given) if filter.looks_up]
        return {f.column for f in chosen if not f.ranges}, {f.column for f in chosen if f.ranges}

    def about_served(self) -> str:
        """Returns what is served, as a sentence for people whose question is not."""
        lines = []
        for order, served in self.combinations().items():
            others = [" and ".join(f"`{camel(name)}`" for name in names) for names in served.filters if names]
            ranged = f"a range of `{camel(served.ranged)}`"
            lines.append(f"{order} with {' or '.join(others)}, and {ranged}" if others else f"{order} with {ranged}")
        if few := ", ".join(f"`{camel(name)}`" for name in self.finding_few()):
            lines.append(f"every order and condition together with {few}")
        return f"`{camel(self.name)}` serves {'; '.join(lines)}."

    def combinations(self) -> dict[str, Served]:
        """Returns what goes with each order, by its name without direction, apart from what finds few rows."""
        few, known = indexes.finding_few(self.projection), indexes.indexes(self.projection)
        found = {}
        for name in self.orders:
            order = self.order_of(name)
            if self.by_field(name):
                found[field_ranges.ORDER] = Served(((),), "fields")
                continue
            prefixes = [index.filters for index in known if index.order == order and few.isdisjoint(index.filters)]
            found[name.rpartition("_")[0]] = Served(tuple(prefixes), shown_column(order))
        return found

    def finding_few(self) -> list[str]:
        """Returns the fields of `where` that find few rows, and therefore go with every order and every filter."""
        columns = indexes.finding_few(self.projection)
        return [f.name for f in self.where.values() if any(c.column in columns for c in f.conditions.values())]

    def several(self, order: Order, given: Collection[str]) -> list[str] | None:
        """Returns the filters of which an index is read value by value, to merge their rows.

        None when no index gives the rows in this order.
        """
        if indexes.exact(self.projection, order.columns[:-1], *self.columns(given)) is None:
            return None
        return [name for name in given if self.every(name).each]

    def referring(self, given: Collection[str]) -> list[str]:
        """Returns the filters that find few rows, which are read first; many may have the value of a custom field."""
        columns = indexes.finding_few(self.projection) - {indexes.custom_fields(self.projection)}
        known = {name: f for name in given if (f := self.every(name)).looks_up}
        return [name for name, f in known.items() if f.column in columns and not f.ranges]

    def by_value(self, given: Collection[str]) -> list[str]:
        """Returns the filters by the value of custom fields."""
        column = indexes.custom_fields(self.projection)
        return [name for name in given if (f := self.every(name)).column == column and not f.ranges]

    def conditions(
        self,
        given: Mapping[str, object],
        row: str,
        workspace: str,
        value: Callable[[str], str],
        each: Mapping[str, str] | None = None,
        only: Collection[str] | None = None,
    ) -> list[str]:
        """Returns the SQL conditions of the filters in use, by name. `value` returns the SQL of a filter's argument.

        `only`: the filters whose conditions are wanted; default: all.
        `each`: SQL for one of the values of a filter by several of them, where the rows of each are read by themselves.
        Lists of contacts show each person once, so merged contacts are excluded unless asked for.
        """
        merged = any(name.partition("__")[0] == "merged_into" for name in given)
        people = self.merges and not given.get("include_merged") and not merged
        found = [NOT_MERGED.format(t=row)] if people else []
        for name, argument in given.items():
            if only is not None and name not in only:
                continue
            filter, one = self.every(name), (each or {}).get(name)
            condition = filter.each if one else filter.chosen(argument, people)
            sql = value(name) if "{value}" in condition else ""
            found.append(condition.format(t=row, value=sql, workspace=workspace, each=one))
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
            orders, fields = orders_of(projection), where_of(projection)
            found[name] = List(name, projection, orders, filters_of(projection), fields)
    return found


def orders_of(projection: Projection[Any]) -> dict[str, Order]:
    """Returns `TOUCHED_AT_DESC` and `TOUCHED_AT_ASC` for each order of the indexes; the key breaks ties."""
    types = {c.name: c.type for c in projection.columns}
    required = {c.name: c.required for c in projection.columns}
    found = {}
    for columns in indexes.orders(projection):
        whole = *columns, projection.key
        known = all(required[column] for column in columns)
        column = shown_column(columns)
        for newest in (False, True) if column in FIRST_TO_LAST else (True, False):
            order = Order(projection.name, whole, tuple(types[c] for c in whole), newest, known)
            suffix = "DESC" if newest else "ASC"
            found[f"{NAMES.get(column, column).upper()}_{suffix}"] = order
    if indexes.custom_fields(projection):
        for suffix, newest in (("DESC", True), ("ASC", False)):
            found[f"{field_ranges.ORDER}_{suffix}"] = Order(
                projection.name, field_ranges.COLUMNS, ("text", "timestamptz", "uuid"), newest
            )
    return found


def shown_column(order: tuple[str, ...]) -> str:
    """Returns the field of the row by which an order sorts: an amount's currency comes before it."""
    column = order[1] if order[0] == "currency" else order[0]
    return column.removesuffix("_minor").removesuffix("_key")


def shown_name(filter: str) -> str:
    """Returns a filter, or the field of a condition, as callers write it."""
    return camel(filter.partition("__")[0])


def moves(order: Order) -> bool:
    """Tells whether a change of a row moves it within this order."""
    return not MOVING.isdisjoint(order.columns)


def orders_enum(listed: List) -> Any:
    values = {name: strawberry.enum_value(name, description=order_about(o)) for name, o in listed.orders.items()}
    return Enum(f"{type_name(listed.projection.name)}Order", values)


def order_about(order: Order) -> str:
    if order.columns == field_ranges.COLUMNS:
        how = "descending" if order.newest else "ascending"
        return f"By the custom field of which `where.fields` has a range, {how}. Changes of this field move rows."
    about = f"By `{camel(shown_column(order.columns))}`, {'descending' if order.newest else 'ascending'}."
    if order.columns[0] == "currency":
        about += " Amounts of one currency follow each other."
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
