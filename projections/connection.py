"""One row per connection: its connector and whether it is enabled. Holds no secret."""

from crm.envelope import Row
from crm.events import ConnectionAdded, ConnectionRemoved, ConnectionRotated
from crm.projection import projection
from crm.scalars import Id, Micros


class ConnectionRow(Row, frozen=True, gc=False):
    """An activated integration of the workspace. Its secret is never shown."""

    connection_id: Id
    connector: str
    name: str
    settings: tuple[str, ...]  # names only
    enabled: bool
    rotated_at: Micros | None
    version: int
    touched_at: Micros


@projection(key="connection_id", version=1, indexes=("touched_at",))
def connection(
    row: ConnectionRow | None, event: ConnectionAdded | ConnectionRotated | ConnectionRemoved
) -> ConnectionRow | None:
    """Folds the commands on a connection. One made by `crm connect` is recorded by that command."""
    at = event.meta.occurred_at
    return ConnectionRow(
        connection_id=event.connection_id,
        connector=event.connector,
        name=event.name,
        settings=event.settings if isinstance(event, ConnectionAdded) else row.settings if row else (),
        enabled=not isinstance(event, ConnectionRemoved),
        rotated_at=at if isinstance(event, ConnectionRotated) else row.rotated_at if row else None,
        version=row.version + 1 if row else 1,
        touched_at=max(row.touched_at, at) if row else at,
    )
