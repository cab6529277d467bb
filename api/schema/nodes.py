"""GraphQL types made from the projections: a field for each column, lists, and relations between them."""

from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.history.asof import AS_OF, AS_OF_KEY, AsOf, current_only, referred_row, require_current
from api.history.asof import row as row_as_of_moment
from api.schema.attachments import Attachment
from api.schema.deprecations import DEPRECATED
from api.schema.derived_fields import derived_fields
from api.schema.fields import Argument, field
from api.schema.filters import known_id, parameter
from api.schema.lists import DEFAULT_PAGE, LISTS, MAX_PAGE, orders_enum, page_size
from api.schema.names import camel, type_name
from api.schema.objects import object_fields
from api.schema.relations import RELATIONS, Many
from api.schema.scalars import BY_COLUMN, Money
from api.schema.where import conditions_in, input_of
from api.sql.plan import pages, rows, values, workspace
from api.sql.plan.statement import PLAN
from api.sql.reads import FILES, RULES, SHARES, TYPE
from api.sql.statements import COUNTED
from crm.objects import SLOTS
from crm.projection import Projection
from projections import PROJECTIONS

HIDDEN = {"step", "weights", "sources", "name_key", *SLOTS}  # columns that only an order or a fold needs
Fields = dict[str, Any]


def declare(name: str, about: str, annotations: Fields, fields: Fields | None = None) -> Any:
    """Fills the empty class of that name, to which other types may refer already."""
    cls = TYPES[name]
    cls.__annotations__ = annotations
    for attribute, value in (fields or {}).items():
        setattr(cls, attribute, value)
    return strawberry.type(cls, name=name, description=about)


@strawberry.interface(description="An object with an id that is unique among all types.")
class Node:
    id: strawberry.ID = strawberry.field(description="Unique id.")


def row_type(name: str) -> Any:
    """Makes the empty class of a row type. Rows are dicts that name their type."""

    def is_type_of(source: Any, _: Any) -> bool:
        return not isinstance(source, dict) or source.get(TYPE, name) == name

    return type(name, (Node,), {"__module__": __name__, "is_type_of": staticmethod(is_type_of)})


TYPES: dict[str, Any] = {
    name: type(name, (), {"__module__": __name__})
    for projection in PROJECTIONS
    for kind in [type_name(projection)]
    for name in (f"{kind}Edge", f"{kind}Connection")
}
TYPES |= {type_name(projection): row_type(type_name(projection)) for projection in PROJECTIONS}
ORDERS: dict[str, Any] = {
    name: strawberry.enum(orders_enum(listed), description=f"Sort orders of `{camel(listed.name)}`.")
    for name, listed in LISTS.items()
}
WHERE: dict[str, Any] = {name: input_of(listed.projection, listed.where) for name, listed in LISTS.items()}
WINDOW = {
    "first": Argument(
        int | None,
        None,
        f"Return the first rows, 1 to {MAX_PAGE}. Without `first` and `last`: the first {DEFAULT_PAGE}.",
    ),
    "after": Argument(str | None, None, "Return rows after this cursor."),
    "last": Argument(int | None, None, f"Return the last rows, 1 to {MAX_PAGE}, in the same order."),
    "before": Argument(str | None, None, "Return rows before this cursor."),
}
OTHERS = ("Caller", "ObjectRelation", "PaymentShare", "Query", "Subscription")
TYPES |= {name: type(name, (), {"__module__": __name__}) for name in OTHERS}


def many(name: str) -> Any:
    """Returns the type of a list of this type."""
    return GenericAlias(list, TYPES[name])


@strawberry.type(description="Position of a page within its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="There are rows after this page.")
    has_previous_page: bool = strawberry.field(description="There are rows before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; send it as `before`.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; send it as `after`.")


@strawberry.type(description="Number of rows in the whole list, with its filters.")
class TotalCount:
    count: int = strawberry.field(description=f"Number of rows, at most {COUNTED:,}.")
    capped: bool = strawberry.field(description=f"There are more than {COUNTED:,} rows; counting stopped there.")


@strawberry.type(description="An assignment rule. The first that fits a new deal decides who gets it.")
class AssignmentRule:
    name: str = strawberry.field(description="Display name, shown as the reason.")
    owners: list[str] = strawberry.field(description="Keys of the owners among whom it chooses, in order.")
    source: str = strawberry.field(description="Fits deals of this source; empty: any.")
    field: str = strawberry.field(description="Fits deals whose custom field of this name has `value`; empty: any.")
    value: str = strawberry.field(description="The value of `field`, compared as text without case.")
    from_hour: int = strawberry.field(description="Fits from this hour of the workspace's day, 0 to 24.")
    to_hour: int = strawberry.field(description="Fits until before this hour; 0 to 24 is always.")
    pick: str = strawberry.field(description="How it chooses: round_robin, least_open or first.")


def columns(projection: Projection[Any]) -> tuple[Fields, Fields]:
    """Returns annotations and fields: the key is `id`, amounts are Money, files are Attachments."""
    annotations, fields = {}, {}
    for column in projection.columns:
        if column.name not in HIDDEN:
            name, hint, rule = column.name, BY_COLUMN[column.type], values.column(column)
            if name == projection.key:
                name = "id"
            elif name.endswith("_minor"):
                name, hint, rule = name.removesuffix("_minor"), Money, values.money(column)
            elif name in FILES:
                hint, rule = list[Attachment], values.files(column)
            elif name == SHARES:
                hint, rule = many("PaymentShare"), values.shares(column)
            elif name == RULES:
                hint, rule = list[AssignmentRule], workspace.assignment_rules(column)
            annotations[name] = hint if column.required else hint | None
            gone = DEPRECATED.get((type_name(projection.name), name))
            fields[name] = strawberry.field(metadata={PLAN: rule}, deprecation_reason=gone)
    return annotations, fields


def listing(name: str, parent: str = "", about: str = "") -> Any:
    """Makes a list field: of the workspace, or of a row that replaces the filter `parent`."""
    listed = LISTS[name]
    kind, orders = type_name(listed.projection.name), ORDERS[name]
    free = {
        f: Argument(filter.type | None, strawberry.UNSET, filter.about)
        for f, filter in listed.filters.items()
        if f != parent
    }

    async def body(source: Any, info: Info, /, order_by: Any, **given: Any) -> Any:
        require_current(source, info.field_name)
        window = {name: given.pop(name) for name in WINDOW}
        size = page_size(window["first"], window["last"])
        conditions = conditions_in(listed.where, given.pop("where", None)) | given
        chosen = {f: parameter(listed.every(f), value) for f, value in conditions.items() if value is not None}
        if parent:
            chosen[parent] = source["id"]
        order, backwards = listed.order(order_by.value, chosen), window["last"] is not None
        cursors = window["after"], window["before"]
        return await info.context.reads.page(listed, order, chosen, size, backwards, *cursors, parent)

    order_by = Argument(orders, orders[listed.default_order], listed.about_orders([parent] if parent else []))
    where = Argument(WHERE[name] | None, strawberry.UNSET, "Conditions on the rows; they may be combined with filters.")
    arguments = WINDOW | {"order_by": order_by, "where": where} | free
    return field(TYPES[f"{kind}Connection"], arguments, body, about or listed.about, pages.page(name, parent))


def one(target: str, column: str) -> Any:
    """Makes a field with the row to which a column refers."""

    async def body(source: Any, info: Info) -> Any:
        reads, key = info.context.reads, source[column]
        if AS_OF_KEY in source:
            return await referred_row(info, PROJECTIONS[target], key, source[AS_OF_KEY])
        return await (reads.surviving_contact(key) if target == "contact" else reads.one(target, key))

    about = (
        "The contact; if it was merged, the one it was merged into."
        if target == "contact"
        else f"The {target} that it belongs to."
    )
    rule = rows.surviving_contact(column) if target == "contact" else rows.referred_row(PROJECTIONS[target], column)
    return field(TYPES[type_name(target)] | None, {}, body, about, rule)


def by_id(target: str) -> Any:
    async def body(_: Any, info: Info, id: str, as_of: AsOf | None = None) -> Any:
        if as_of:
            return await row_as_of_moment(info, PROJECTIONS[target], id, as_of)
        return await info.context.reads.one(target, known_id(id))

    return field(
        TYPES[type_name(target)] | None,
        {"id": Argument(strawberry.ID), "as_of": AS_OF},
        body,
        f"Fetches one {type_name(target)} by its id; null when there is none.",
        current_only(rows.lookup(PROJECTIONS[target])),
    )


async def node(_: Any, info: Info, id: str) -> Any:
    return await info.context.reads.node(known_id(id))


async def total(source: Any, info: Info) -> Any:
    return await source["total"]()


def related(projection: str) -> Fields:
    return {
        name: listing(relation.list, relation.filter, relation.about)
        if isinstance(relation, Many)
        else one(relation.projection, relation.column)
        for name, relation in RELATIONS.get(projection, {}).items()
    }


for projection in PROJECTIONS.values():
    kind = type_name(projection.name)
    annotations, fields = columns(projection)
    extra = derived_fields(projection.name, TYPES) | object_fields(projection.name, TYPES)
    declare(kind, projection.about, annotations, fields | related(projection.name) | extra)
    declare(f"{kind}Edge", f"One {kind} in a list, with its cursor.", {"cursor": str, "node": TYPES[kind]})
    declare(
        f"{kind}Connection",
        f"A page of a list of {kind} objects.",
        {"edges": many(f"{kind}Edge"), "nodes": many(kind), "page_info": PageInfo},
        {"total_count": field(TotalCount, {}, total, "Number of rows in the whole list; counted only when selected.")},
    )
declare(
    "PaymentShare",
    "The part of a split payment that belongs to one deal.",
    {"deal_id": strawberry.ID, "amount": Money},
    {
        "deal_id": strawberry.field(description="Id of the deal."),
        "amount": strawberry.field(description="The deal's part of the payment."),
        "deal": one("deal", "deal_id"),
    },
)
