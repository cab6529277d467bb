"""GraphQL types made from the projections: a field a column, connections, and the relations between them."""

import asyncio
from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.history.asof import AS_OF, PAST, AsOf, of_now, present, referred
from api.history.asof import row as as_it_was
from api.schema.deprecations import DEPRECATED
from api.schema.fields import Argument, field
from api.schema.filters import known_id, parameter
from api.schema.lists import LARGEST_PAGE, LISTS, USUAL_PAGE, orders_enum, page_size
from api.schema.names import type_name
from api.schema.relations import RELATIONS, Many
from api.schema.scalars import BY_COLUMN, Long, Money
from api.sql.plan import open_deals as worked_on
from api.sql.plan import pages, rows, values
from api.sql.plan.statement import PLAN
from api.sql.reads import FILES, SHARES, TYPE
from api.sql.statements import COUNTED
from crm.projection import Projection
from crm.shared import Attachment as AttachmentStruct
from projections import PROJECTIONS

HIDDEN = {"step", "weights", "sources"}  # columns that only an order, or a fold, needs
Fields = dict[str, Any]


def declare(name: str, about: str, annotations: Fields, fields: Fields | None = None) -> Any:
    """Fills the empty class of that name, which others may already refer to."""
    cls = TYPES[name]
    cls.__annotations__ = annotations
    for attribute, value in (fields or {}).items():
        setattr(cls, attribute, value)
    return strawberry.type(cls, name=name, description=about)


@strawberry.interface(description="Anything that has an id of its own. An id is of one thing only.")
class Node:
    id: strawberry.ID


def row_type(name: str) -> Any:
    """The rows of it are dicts that say what they are."""

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
    name: strawberry.enum(orders_enum(listed), description=f"How {listed.name.replace('_', ' ')} are ordered.")
    for name, listed in LISTS.items()
}
WINDOW = {
    "first": Argument(int | None, None, f"1 to {LARGEST_PAGE}; {USUAL_PAGE} when neither this nor `last` is given."),
    "after": Argument(str | None, None, "A cursor: rows behind it."),
    "last": Argument(int | None, None, f"1 to {LARGEST_PAGE}: the last of them, in the same order."),
    "before": Argument(str | None, None, "A cursor: rows before it."),
}
OTHERS = ("Caller", "PaymentShare", "Query", "Subscription")
TYPES |= {name: type(name, (), {"__module__": __name__}) for name in OTHERS}


def many(name: str) -> Any:
    """The type of a list of these."""
    return GenericAlias(list, TYPES[name])


@strawberry.type(description="Where a page of a list stands.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="How many rows a list has, with its filters and without its pages.")
class TotalCount:
    count: int = strawberry.field(description=f"At most {COUNTED:,}.")
    capped: bool = strawberry.field(description=f"There are more than {COUNTED:,}: counting stopped.")


@strawberry.type(description=AttachmentStruct.__doc__)
class Attachment:
    kind: str
    name: str
    media_type: str
    size: Long
    ref: str


def columns(projection: Projection[Any]) -> tuple[Fields, Fields]:
    """Annotations and fields: the key is `id`, a sum is Money, files are Attachments, all else is as it is."""
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
            annotations[name] = hint if column.required else hint | None
            gone = DEPRECATED.get((type_name(projection.name), name))
            fields[name] = strawberry.field(metadata={PLAN: rule}, deprecation_reason=gone)
    return annotations, fields


def listing(name: str, parent: str = "", about: str = "") -> Any:
    """A field that is a list: of the workspace, or of a row which stands for the filter `parent`."""
    listed = LISTS[name]
    kind, orders = type_name(listed.projection.name), ORDERS[name]
    free = {
        f: Argument(filter.type | None, strawberry.UNSET, filter.about)
        for f, filter in listed.filters.items()
        if f != parent
    }

    async def body(source: Any, info: Info, order_by: Any, **given: Any) -> Any:
        present(source, info.field_name)
        window = {name: given.pop(name) for name in WINDOW}
        size = page_size(window["first"], window["last"])
        chosen = {f: parameter(listed.filters[f], value) for f, value in given.items() if value is not None}
        if parent:
            chosen[parent] = source["id"]
        order, backwards = listed.order(order_by.value, chosen), window["last"] is not None
        place = window["after"], window["before"], parent
        return await info.context.reads.page(listed, order, chosen, size, backwards, *place)

    order_by = Argument(orders, orders[listed.usual], listed.about_orders([parent] if parent else []))
    arguments = WINDOW | {"order_by": order_by} | free
    return field(TYPES[f"{kind}Connection"], arguments, body, about or listed.about, pages.page(name, parent))


def one(target: str, column: str) -> Any:
    """A field that is the row which a column refers to."""

    async def body(source: Any, info: Info) -> Any:
        reads, key = info.context.reads, source[column]
        if PAST in source:
            return await referred(info, PROJECTIONS[target], key, source[PAST])
        return await (reads.card(key) if target == "contact" else reads.one(target, key))

    about = "The card, or the one that it was merged into." if target == "contact" else f"Its {target}."
    rule = rows.card(column) if target == "contact" else rows.referred(PROJECTIONS[target], column)
    return field(TYPES[type_name(target)] | None, {}, body, about, rule)


def by_id(target: str) -> Any:
    async def body(_: Any, info: Info, id: str, as_of: AsOf | None = None) -> Any:
        if as_of:
            return await as_it_was(info, PROJECTIONS[target], id, as_of)
        return await info.context.reads.one(target, known_id(id))

    return field(
        TYPES[type_name(target)] | None,
        {"id": Argument(strawberry.ID), "as_of": AS_OF},
        body,
        f"One {target}.",
        of_now(rows.lookup(PROJECTIONS[target])),
    )


async def open_deals(source: Any, info: Info) -> Any:
    present(source, info.field_name)
    reads, contact = info.context.reads, source["contact_id"]
    card = await reads.card(contact)
    return await reads.open_deals(card["id"] if card else contact)


async def owner(source: Any, info: Info) -> Any:
    return next((deal["owner"] for deal in await open_deals(source, info) if deal["owner"]), None)


def pipeline_fields() -> Fields:
    """What a salesperson wants to know of a contact before picking up."""
    deals = field(
        many("Deal"),
        {},
        open_deals,
        "Its open deals, the latest touched first, at most twenty.",
        worked_on.open_deals("contact_id"),
    )
    return {
        "open_deals": deals,
        "owner": field(str | None, {}, owner, "Who has the latest of its open deals.", worked_on.owner("contact_id")),
    }


async def candidate_deals(source: Any, info: Info) -> Any:
    present(source, info.field_name)
    found = await asyncio.gather(*(info.context.reads.one("deal", id) for id in source["candidates"]))
    return sorted(filter(None, found), key=lambda deal: deal["number"])


def candidate_fields() -> Fields:
    about = "The deals that it could be for, while it is parked: `why` tells of each, `paymentMatch` settles it."
    rule = rows.among(PROJECTIONS["deal"], "candidates", "number")
    return {"candidate_deals": field(many("Deal"), {}, candidate_deals, about, rule)}


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
    extra = pipeline_fields() if projection.name in ("contact", "call") else {}
    extra |= candidate_fields() if projection.name == "payment" else {}
    declare(kind, projection.about, annotations, fields | related(projection.name) | extra)
    declare(f"{kind}Edge", f"A {kind} in a list.", {"cursor": str, "node": TYPES[kind]})
    declare(
        f"{kind}Connection",
        f"A page of a list of {kind}.",
        {"edges": many(f"{kind}Edge"), "nodes": many(kind), "page_info": PageInfo},
        {"total_count": field(TotalCount, {}, total, "Counted when it is asked for.")},
    )
declare(
    "PaymentShare",
    "What one deal has of a payment that was split.",
    {"deal_id": strawberry.ID, "amount": Money},
    {"deal": one("deal", "deal_id")},
)
