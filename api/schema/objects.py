"""What objects of the workspace's own point to, and the objects that point to a row."""

import asyncio
from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import Any

from api.context import Info
from api.errors import BadInput
from api.history.asof import require_current
from api.schema.fields import Argument, field
from api.schema.filters import SAME_CONTACT, known_id
from api.sql.reads import Reads, Shaped, shaped
from api.sql.statements import columns
from crm.objects import object_id
from crm.scalars import Id
from projections import PROJECTIONS

MOST, DEFAULT = 100, 20  # related objects
TARGETS = {"phone": "phones", "email": "emails", "account": "accounts"}  # a contact's columns
OBJECT, DEAL = PROJECTIONS["object"], PROJECTIONS["deal"]
RELATED = (
    f"SELECT {columns('object')} FROM read.object AS t WHERE t.workspace = %(workspace)s "
    "AND t.related_to && (%(targets)s::text[] || {more}) AND t.related_to <> '{{}}' "
    "AND (%(type)s::text IS NULL OR t.type = %(type)s) ORDER BY t.touched_at DESC, t.object_id DESC LIMIT %(first)s"
)
CONTACT = (
    "SELECT t.contact_id FROM read.contact AS t WHERE t.workspace = %(workspace)s AND t.{0} @> ARRAY[%(value)s] "
    "AND t.{0} <> '{{}}' ORDER BY t.merged_into IS NULL DESC, t.touched_at DESC, t.contact_id LIMIT 1"
)
MERGED = (
    f"SELECT {columns('object')} FROM read.object AS t WHERE t.workspace = %(workspace)s "
    "AND t.merged_keys @> ARRAY[%(value)s] AND t.merged_keys <> '{}' LIMIT 1"
)
DEAL_BY_KEY = (
    f"SELECT {columns('deal')} FROM read.deal AS t WHERE t.workspace = %(workspace)s "
    "AND t.external_ids @> ARRAY[%(value)s] AND t.external_ids <> '{}' ORDER BY t.touched_at DESC LIMIT 1"
)
HAS_KEYS = any(column.name == "external_ids" for column in DEAL.columns)


async def object_named(reads: Reads, kind: str, key: str) -> Shaped | None:
    """Returns an object by its type and key, or the one that it was merged into."""
    found = await reads.one("object", object_id(Id(reads.workspace), kind, key))
    if found is None:
        merged = await reads.rows(MERGED, value=f"{kind}:{key}")
        found = shaped(OBJECT, merged[0]) if merged else None
    return found


async def relations(source: Any, info: Info) -> list[Shaped]:
    """Returns what the object points to; what is not there yet is null."""
    require_current(source, "relations")
    names, nothing = source["related_to"], {"object": None, "contact": None, "deal": None}
    found = await asyncio.gather(*(target(info.context.reads, name) for name in names))
    return [{"target": name, **nothing, **row} for name, row in zip(names, found, strict=True)]


async def target(reads: Reads, text: str) -> Shaped:
    kind, _, rest = text.partition(":")
    if kind == "contact" or kind in TARGETS:
        return {"contact": await contact_named(reads, kind, rest)}
    if kind == "deal":
        return {"deal": await deal_named(reads, rest)}
    return {"object": await object_named(reads, kind, rest)}


async def contact_named(reads: Reads, kind: str, value: str) -> Shaped | None:
    """Returns the contact; none where several have the identifier, which then identifies nobody."""
    if kind == "contact":
        return await reads.surviving_contact(value)
    found = await reads.rows(CONTACT.format(TARGETS[kind]), value=value)
    card = await reads.surviving_contact(found[0]["contact_id"]) if found else None
    return card if card and identifier(kind, value) not in card["doubted"] else None


def identifier(kind: str, value: str) -> str:
    return value if kind == "account" else f"{kind}:{value}"


async def deal_named(reads: Reads, rest: str) -> Shaped | None:
    if rest.startswith("D-") and rest[2:].isdigit():
        return await reads.by_column("deal", "number", int(rest[2:]))
    if ":" not in rest:
        return await reads.one("deal", known_id(rest))
    found = await reads.rows(DEAL_BY_KEY, value=rest) if HAS_KEYS else []
    return shaped(DEAL, found[0]) if found else None


def names_of(source: Shaped, kind: str) -> list[str]:
    """Returns all texts by which objects may point to a row."""
    if kind == "object":
        return [f"{source['type']}:{source['key']}", *source["merged_keys"]]
    if kind == "deal":
        names = (source["id"], f"D-{source['number']}", *source.get("external_ids", ()))
        return [f"deal:{name}" for name in names]
    identifiers = ((name, value) for name, column in TARGETS.items() for value in source[column])
    return [f"{name}:{value}" for name, value in identifiers if identifier(name, value) not in source["doubted"]]


def object_fields(projection: str, types: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields that objects add to the type of a projection. `types`: GraphQL's, by name."""
    several = GenericAlias(list, types["Object"])
    match projection:
        case "contact" | "deal":
            return {"objects": pointing_to(projection, several)}
        case "object":
            about = "What it points to, also what is not there yet."
            related = field(GenericAlias(list, types["ObjectRelation"]), {}, relations, about)
            return {"related_objects": pointing_to(projection, several), "relations": related}
    return {}


def pointing_to(kind: str, several: Any) -> Any:
    """Makes the field with the objects that point to a row of this kind."""
    same = SAME_CONTACT.format(value="%(id)s", workspace="%(workspace)s")
    cards = f"ARRAY(SELECT 'contact:' || c FROM unnest({same}) AS c)"
    statement = RELATED.format(more=cards if kind == "contact" else "'{}'::text[]")

    async def body(source: Any, info: Info, first: int | None = None, type: str | None = None) -> Sequence[Shaped]:
        require_current(source, info.field_name)
        size = DEFAULT if first is None else first
        if not 1 <= size <= MOST:
            raise BadInput(f"`first` is {size}; it takes 1 to {MOST}. Nothing was read.")
        given: dict[str, Any] = {"id": source["id"]} if kind == "contact" else {}
        reads = info.context.reads
        found = await reads.rows(statement, targets=names_of(source, kind), type=type, first=size, **given)
        return [shaped(OBJECT, row) for row in found]

    arguments = {
        "type": Argument(str | None, None, "Only objects of this type."),
        "first": Argument(int | None, None, f"How many to return, 1 to {MOST}. Default: {DEFAULT}."),
    }
    return field(several, arguments, body, "Objects that point to it, last changed first.")
