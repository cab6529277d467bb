"""GraphQL types made from the projections: a field a column, connections, and the relations between them."""

from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.errors import BadInput
from api.fields import Argument, field
from api.lists import LISTS, known_id, parameter
from api.plan import pages, rows, values
from api.plan.statement import PLAN
from api.reads import FILES
from api.scalars import BY_COLUMN, Money
from crm.projection import Projection
from crm.shared import Attachment as AttachmentStruct
from projections import PROJECTIONS

HIDDEN = {"step"}  # columns that only an order needs
RELATIONS: dict[str, tuple[str, ...]] = {
    "contact": ("deals", "timeline", "calls", "conversations", "payments"),
    "deal": ("contact", "timeline", "payments"),
    "call": ("contact",),
    "conversation": ("contact", "messages"),
    "payment": ("contact", "deal"),
    "timeline": ("deal",),
}
Fields = dict[str, Any]


def declare(name: str, about: str, annotations: Fields, fields: Fields | None = None) -> Any:
    """Fills the empty class of that name, which others may already refer to."""
    cls = TYPES[name]
    cls.__annotations__ = annotations
    for attribute, value in (fields or {}).items():
        setattr(cls, attribute, value)
    return strawberry.type(cls, name=name, description=about)


NAMES = {
    "timeline": "TimelineEntry",
    "quarantine": "QuarantinedDelivery",
    "connection": "Integration",  # a Connection is a page of a list here
    "token": "AccessToken",
    "field": "CustomField",
}


def type_name(projection: str) -> str:
    return NAMES.get(projection, projection.capitalize())


TYPES: dict[str, Any] = {
    name: type(name, (), {"__module__": __name__})
    for projection in PROJECTIONS
    for kind in [type_name(projection)]
    for name in (kind, f"{kind}Edge", f"{kind}Connection")
}
TYPES |= {name: type(name, (), {"__module__": __name__}) for name in ("Caller", "Query", "Subscription")}


def many(name: str) -> Any:
    """The type of a list of these."""
    return GenericAlias(list, TYPES[name])


@strawberry.type(description="Where a page of a list stands.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description=AttachmentStruct.__doc__)
class Attachment:
    kind: str
    name: str
    media_type: str
    size: int
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
            annotations[name] = hint if column.required else hint | None
            fields[name] = strawberry.field(metadata={PLAN: rule})
    return annotations, fields


def listing(name: str, parent: str = "") -> Any:
    """A field that is a list: of the workspace, or of a row."""
    listed = LISTS[name]
    kind = type_name(listed.projection)
    free = {
        f: Argument(filter.type | None, strawberry.UNSET, filter.about)
        for f, filter in listed.filters.items()
        if f != parent
    }
    arguments = {"first": Argument(int, 20, "1 to 100."), "after": Argument(str | None, None, "An endCursor."), **free}

    async def body(source: Any, info: Info, first: int, after: str | None, **given: Any) -> Any:
        if parent:
            given[parent] = source["id"]
        chosen = {f: parameter(listed.filters[f], value) for f, value in given.items() if value is not None}
        if name == "timeline" and not chosen:
            raise BadInput("A timeline is of a contact or of a deal: give one of them.")
        return await info.context.reads.page(listed, first, after, chosen)

    return field(TYPES[f"{kind}Connection"], arguments, body, listed.about, pages.page(name, parent))


def one(target: str) -> Any:
    """A field that is the row which a column refers to."""

    async def body(source: Any, info: Info) -> Any:
        reads, key = info.context.reads, source[f"{target}_id"]
        return await (reads.card(key) if target == "contact" else reads.one(target, key))

    about = "The card, or the one that it was merged into." if target == "contact" else f"Its {target}."
    rule = rows.card("contact_id") if target == "contact" else rows.referred(PROJECTIONS[target], f"{target}_id")
    return field(TYPES[type_name(target)] | None, {}, body, about, rule)


def by_id(target: str) -> Any:
    async def body(_: Any, info: Info, id: str) -> Any:
        return await info.context.reads.one(target, known_id(id))

    return field(
        TYPES[type_name(target)] | None,
        {"id": Argument(strawberry.ID)},
        body,
        f"One {target}.",
        rows.lookup(PROJECTIONS[target]),
    )


async def open_deals(source: Any, info: Info) -> Any:
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
        pages.open_deals("contact_id"),
    )
    return {
        "open_deals": deals,
        "owner": field(str | None, {}, owner, "Who has the latest of its open deals.", pages.owner("contact_id")),
    }


for projection in PROJECTIONS.values():
    kind = type_name(projection.name)
    related = {
        name: listing(name, projection.name) if name in LISTS else one(name)
        for name in RELATIONS.get(projection.name, ())
    }
    if projection.name in ("contact", "call"):
        related |= pipeline_fields()
    annotations, fields = columns(projection)
    declare(kind, projection.about, annotations, fields | related)
    declare(f"{kind}Edge", f"A {kind} in a list.", {"cursor": str, "node": TYPES[kind]})
    declare(
        f"{kind}Connection",
        f"A page of a list of {kind}.",
        {"edges": many(f"{kind}Edge"), "nodes": many(kind), "page_info": PageInfo},
    )
