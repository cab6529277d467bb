"""One row per type of objects: its statuses and its fields."""

from typing import Any

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import ObjectTypeDefined, ObjectTypeRetired
from crm.projection import Json, projection
from crm.scalars import Id, Micros


class ObjectTypeRow(Row, frozen=True, gc=False):
    """A type of objects that the workspace defined. Reports of a retired one are quarantined."""

    object_type_id: Id
    key: str
    label: str
    plural: str
    statuses: tuple[str, ...]
    fields: Json  # by key: label, type, options, required, target, slot, place among the others
    retired: bool
    version: int  # how many events it is a fold of; give it as expectedVersion
    touched_at: Micros


@projection(key="object_type_id", version=1, indexes=("touched_at", "key"))
def object_type(row: ObjectTypeRow | None, event: ObjectTypeDefined | ObjectTypeRetired) -> ObjectTypeRow | None:
    at, version = event.meta.occurred_at, row.version + 1 if row else 1
    if isinstance(event, ObjectTypeRetired):
        return replace(row, retired=True, version=version, touched_at=max(row.touched_at, at)) if row else None
    return ObjectTypeRow(
        object_type_id=event.object_type_id,
        key=event.key,
        label=event.label,
        plural=event.plural,
        statuses=event.statuses,
        fields={field.key: json.encode(described(field, n)).decode() for n, field in enumerate(event.fields)},
        retired=False,
        version=version,
        touched_at=max(row.touched_at, at) if row else at,
    )


def described(field: Any, place: int) -> dict[str, Any]:
    """Returns what people and programs see of a field; its place tells the order of the definition."""
    return {
        "label": field.label,
        "type": field.type,
        "options": field.options,
        "required": field.required,
        "target": field.target,
        "indexed": bool(field.slot),
        "slot": field.slot,
        "place": place,
    }
