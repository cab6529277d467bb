"""One row per salesperson that the workspace declared."""

from crm.envelope import Row
from crm.events import OwnerChanged
from crm.projection import projection
from crm.scalars import Id, Micros


class OwnerRow(Row, frozen=True, gc=False):
    """A salesperson of the workspace. `key` is what deals, tasks and assignment rules name as owner."""

    owner_id: Id
    key: str
    name: str
    email: str
    phone: str
    extension: str
    active: bool
    version: int  # how many events it is a fold of; give it as expectedVersion
    created_at: Micros
    touched_at: Micros


@projection(key="owner_id", version=1, indexes=("created_at", "active, created_at", "key"))
def owner(row: OwnerRow | None, event: OwnerChanged) -> OwnerRow:
    at = event.meta.occurred_at
    return OwnerRow(
        owner_id=event.owner_id,
        key=event.key,
        name=event.name,
        email=event.email,
        phone=event.phone,
        extension=event.extension,
        active=event.active,
        version=row.version + 1 if row else 1,
        created_at=row.created_at if row else at,
        touched_at=max(row.touched_at, at) if row else at,
    )
