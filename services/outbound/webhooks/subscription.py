"""What a webhook asks for, as a fold of its events, and which events that is. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from crm.contract.codec import TYPE_NAMES
from crm.envelope import Event
from crm.events import StageRuleApplied, WebhookAdded, WebhookChanged, WebhookReplayed, WebhookTested
from crm.scalars import Id, Micros


class Subscription(Struct, frozen=True):
    """A webhook. `since`: only what was recorded from this moment on."""

    id: Id
    workspace: Id
    url: str
    types: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    thin: bool = False
    enabled: bool = True
    since: Micros = Micros(0)

    def wants(self, event: Event) -> bool:
        """Whether this event, of its own workspace, is sent."""
        if isinstance(event, WebhookTested):
            return event.webhook_id == self.id
        if isinstance(event, StageRuleApplied) and event.webhook_id == self.id:
            return event.meta.recorded_at >= self.since
        if self.types and TYPE_NAMES[type(event)] not in self.types:
            return False
        if event.meta.recorded_at < self.since:
            return False
        if self.stages and getattr(event, "stage", None) not in self.stages:
            return False
        return not self.changed or any(gives(event, name) for name in self.changed)


def gives(event: Event, name: str) -> bool:
    """Whether an event gives a value to a field, its own or a custom one."""
    custom = getattr(event, "fields", None)
    return getattr(event, name, None) not in (None, "", (), {}) or (isinstance(custom, dict) and name in custom)


def added(event: WebhookAdded) -> Subscription:
    wanted = frozenset(event.types), frozenset(event.stages), frozenset(event.changed)
    return Subscription(event.webhook_id, event.meta.workspace, event.url, *wanted, event.thin, True, event.since)


def changed(before: Subscription, event: WebhookChanged) -> Subscription:
    new = {name: value for name in ("url", "thin", "enabled") if (value := getattr(event, name)) is not None}
    sets = {
        name: frozenset(value) for name in ("types", "stages", "changed") if (value := getattr(event, name)) is not None
    }
    return replace(before, **new, **sets)


def replayed(before: Subscription, event: WebhookReplayed) -> Subscription:
    return replace(before, since=event.since)
