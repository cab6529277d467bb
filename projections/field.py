"""One row per custom field: its label, its type and its options."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import FieldDefined, FieldRetired
from crm.projection import projection
from crm.scalars import Id, Micros


class FieldRow(Row, frozen=True, gc=False):
    """A custom field of deals or of contacts. One that is retired is given no values any more."""

    field_id: Id
    entity: str
    key: str
    label: str
    type: str
    options: tuple[str, ...]
    required: bool
    retired: bool
    version: int  # how many events it is a fold of; give it as expectedVersion
    touched_at: Micros


@projection(key="field_id", version=1, indexes=("touched_at", "entity, touched_at"))
def field(row: FieldRow | None, event: FieldDefined | FieldRetired) -> FieldRow | None:
    at, version = event.meta.occurred_at, row.version + 1 if row else 1
    if isinstance(event, FieldRetired):
        return replace(row, retired=True, version=version, touched_at=max(row.touched_at, at)) if row else None
    return FieldRow(
        field_id=event.field_id,
        entity=event.entity,
        key=event.key,
        label=event.label,
        type=event.type,
        options=event.options,
        required=event.required,
        retired=False,
        version=version,
        touched_at=max(row.touched_at, at) if row else at,
    )
