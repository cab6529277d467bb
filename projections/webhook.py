"""One row per webhook: where events are sent, and which. Holds no secret."""

from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import WebhookAdded, WebhookChanged, WebhookRemoved, WebhookRotated
from crm.projection import projection
from crm.scalars import Id, Micros

CHANGEABLE = ("name", "url", "types", "stages", "changed", "thin", "enabled")


class WebhookRow(Row, frozen=True, gc=False):
    """A receiver of events. Its secret is never shown."""

    webhook_id: Id
    name: str
    url: str
    types: tuple[str, ...]
    stages: tuple[str, ...]
    changed: tuple[str, ...]
    thin: bool
    enabled: bool
    why: str
    both_until: Micros | None
    version: int
    touched_at: Micros


@projection(key="webhook_id", version=1, indexes=("touched_at",))
def webhook(
    row: WebhookRow | None, event: WebhookAdded | WebhookChanged | WebhookRotated | WebhookRemoved
) -> WebhookRow | None:
    """Folds the commands on a webhook. Replays and tests leave the row as it is."""
    at = event.meta.occurred_at
    match event:
        case WebhookAdded():
            wanted = event.types, event.stages, event.changed, event.thin
            return WebhookRow(event.webhook_id, event.name, event.url, *wanted, True, "", None, 1, at)
        case WebhookRemoved():
            return None
        case WebhookRotated() if row:
            new: dict[str, Any] = {"both_until": event.both_until}
        case WebhookChanged() if row:
            given = {name: getattr(event, name) for name in CHANGEABLE}
            new = {name: value for name, value in given.items() if value is not None}
            new["why"] = row.why if event.enabled is None else event.why
        case _:
            return row  # it was removed
    return replace(row, **new, version=row.version + 1, touched_at=max(row.touched_at, at))
