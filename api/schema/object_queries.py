"""Queries of objects of the workspace's own: by type and key, and by one of their indexed fields."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput
from api.history.asof import AS_OF, AsOf
from api.history.asof import row as row_as_of_moment
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.nodes import TYPES, declare
from api.schema.objects import DEFAULT, MOST, OBJECT, object_named
from api.sql.objects_by import FieldPage, Ranges
from api.sql.reads import Reads, Shaped
from crm.objects import object_id
from crm.scalars import Id


async def one_object(
    _: Any,
    info: Info,
    id: str | None = None,
    type: str | None = None,
    key: str | None = None,
    as_of: AsOf | None = None,
) -> Shaped | None:
    reads = info.context.reads
    if (id is None) == (type is None or key is None) or (type is None) != (key is None):
        raise BadInput("Give either `id`, or `type` and `key`, to find an object. Nothing was read.")
    if as_of:
        named = id if id is not None else object_id(Id(reads.workspace), str(type), str(key))
        return await row_as_of_moment(info, OBJECT, named, as_of)
    return await (object_named(reads, str(type), str(key)) if id is None else reads.one("object", known_id(id)))


async def one_type(_: Any, info: Info, id: str | None = None, key: str | None = None) -> Shaped | None:
    if (id is None) == (key is None):
        raise BadInput("Give either `id` or `key` to find a type of objects. Nothing was read.")
    reads = info.context.reads
    if id is not None:
        return await reads.one("object_type", known_id(id))
    return await reads.by_column("object_type", "key", key)


async def objects_by(_: Any, info: Info, type: str, field: str, **given: Any) -> Shaped:
    """Returns a page of objects in the order of an indexed field. Raises BadInput."""
    reads = info.context.reads
    window = {name: given.pop(name) for name in ("first", "after", "descending", "status")}
    column, kind = await indexed_column(reads, type, field)
    page = FieldPage(type, column, kind, Ranges.of(kind, given), **window)
    return await page.read(reads)


async def indexed_column(reads: Reads, type: str, field: str) -> tuple[str, str]:
    """Returns the column that holds a field, and the type of its values. Raises BadInput."""
    defined = await reads.by_column("object_type", "key", type)
    if defined is None:
        raise BadInput(f"No type of objects {type!r} is defined. Nothing was read. `objectTypes` lists them.")
    if field == "key":
        return "key", "text"
    found = defined["fields"].get(field)
    if found is None or not found["slot"]:
        served = ", ".join(["key", *sorted(name for name, other in defined["fields"].items() if other["slot"])])
        why = f"No index serves the field {field!r} of {type}; there is one for {served}."
        raise BadInput(f"{why} Nothing was read. Make it `indexed` with objectTypeDefine.")
    return found["slot"], found["type"]


def ranges() -> dict[str, Argument]:
    about = {
        "equals": "Only objects with this value.",
        "gt": "Only objects with a greater value.",
        "gte": "Only objects with this value or a greater one.",
        "lt": "Only objects with a smaller value.",
        "lte": "Only objects with this value or a smaller one.",
    }
    found = {name: Argument(JSON | None, None, sentence) for name, sentence in about.items()}
    return found | {"any_of": Argument(list[JSON] | None, None, "Only objects with one of these values, at most 100.")}


def root_fields() -> dict[str, Any]:
    id = Argument(strawberry.ID | None, None)
    by_key = {"type": "Key of its type, such as seller.", "key": "The sender's own key."}
    window = {
        "descending": Argument(bool, False, "true: the greatest value first."),
        "first": Argument(int, DEFAULT, f"How many to return, 1 to {MOST}."),
        "after": Argument(str | None, None, "Return rows after this cursor."),
    }
    named = {
        "type": Argument(str, about="Key of the type, such as product."),
        "field": Argument(str, about="Key of an indexed field of the type, or `key`."),
    }
    about_status = (
        "Only objects with this status. The field's index is walked for them, 2,000 rows at a time: a page may have "
        "fewer rows than `first` and a next page all the same."
    )
    status = {"status": Argument(str | None, None, about_status)}
    return {
        "object": field(
            TYPES["Object"] | None,
            {"id": id, **{name: Argument(str | None, None, about) for name, about in by_key.items()}, "as_of": AS_OF},
            one_object,
            "Fetches one Object by its id, or by its type and key; null when there is none.",
        ),
        "object_type": field(
            TYPES["ObjectType"] | None,
            {"id": id, "key": Argument(str | None, None, "Key of the type, such as seller.")},
            one_type,
            "Fetches one ObjectType by its id or its key; null when there is none.",
        ),
        "objects_by": field(
            TYPES["ObjectConnection"],
            named | ranges() | status | window,
            objects_by,
            "Objects of a type in the order of one of its indexed fields, with ranges of its values. Objects without a "
            "value are not listed.",
        ),
    }


declare(
    "ObjectRelation",
    "What an object points to.",
    {"target": str, "object": TYPES["Object"] | None, "contact": TYPES["Contact"] | None, "deal": TYPES["Deal"] | None},
    {
        "target": strawberry.field(description="How it is named: seller:42, phone:+380671234567, deal:D-7."),
        "object": strawberry.field(description="The object; null while there is none."),
        "contact": strawberry.field(description="The contact; null while there is none, or the identifier is doubted."),
        "deal": strawberry.field(description="The deal; null while there is none."),
    },
)
OBJECT_QUERIES = root_fields()
