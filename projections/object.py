"""One row per object of the workspace's own: its status, its fields and what it points to."""

from typing import Any

from msgspec import json

from crm.envelope import Row
from crm.events import ObjectChanged, ObjectRemoved
from crm.objects import SLOTS
from crm.projection import Json, projection
from crm.scalars import Id, Micros


class ObjectRow(Row, frozen=True, gc=False):
    """An object of a type that the workspace defined, such as a seller or a product."""

    object_id: Id
    type: str
    key: str
    status: str
    title: str
    fields: Json
    related_to: tuple[str, ...]  # such as seller:42, contact:<id>, phone:+380…, account:shop:42 or deal:<id>
    merged_keys: tuple[str, ...]  # type and key of each object that was merged into it, as in related_to
    doubts: tuple[str, ...]  # what was reported and could not be taken as it was
    version: int  # how many events it is a fold of; give it as expectedVersion
    created_at: Micros
    touched_at: Micros
    slot1: str | None = None  # values of indexed fields, as text that sorts like them: crm/objects.py
    slot2: str | None = None
    slot3: str | None = None
    slot4: str | None = None
    slot5: str | None = None
    slot6: str | None = None
    slot7: str | None = None
    slot8: str | None = None


@projection(
    key="object_id",
    version=3,
    indexes=(
        "type, touched_at",
        "type, created_at",
        "type, status, touched_at",
        "type, status, created_at",
        "related_to",
        "merged_keys",
    ),
    found_by=("title", "key"),
    lookups=("type, key", *(f"type, {slot}" for slot in SLOTS)),
)
def object(row: ObjectRow | None, event: ObjectChanged | ObjectRemoved) -> ObjectRow | None:
    """Folds the history of an object. One that was deleted or merged has no row."""
    if isinstance(event, ObjectRemoved):
        return None
    if not event.shown or (row is None and not event.whole):
        return None
    at = event.meta.occurred_at
    fields = {**(row.fields if row else from_before(event)), **event.fields}
    return ObjectRow(
        object_id=event.object_id,
        type=event.type,
        key=event.key,
        status=first(event.status, row.status if row else own(event, "status")),
        title=first(event.title, row.title if row else own(event, "title")),
        fields={key: text for key, text in fields.items() if text != "null"},
        related_to=event.related_to,
        merged_keys=tuple(f"{event.type}:{key}" for key in event.aliases),
        doubts=tuple(doubt.why for doubt in event.doubts),
        version=event.version,
        created_at=event.created_at,
        touched_at=max(row.touched_at, at) if row else at,
        **{slot: event.slots.get(slot) for slot in SLOTS},
    )


def first(fresh: str | None, before: str) -> str:
    return before if fresh is None else fresh


def own(event: ObjectChanged, name: str) -> str:
    """Returns a text that it had before it was deleted or merged."""
    text: Any = json.decode(event.kept[name]) if name in event.kept else ""
    return str(text)


def from_before(event: ObjectChanged) -> dict[str, str]:
    return {name[len("fields.") :]: text for name, text in event.kept.items() if name.startswith("fields.")}
