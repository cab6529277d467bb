"""Plans the deliveries of webhooks: records, webhooks and cursors give deliveries and cursors. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from crm.contract.codec import TYPE_NAMES
from crm.envelope import named_id
from crm.scalars import Id
from services.outbound.delivery import Delivery, Recorded, Waiting, delivery_of
from services.outbound.webhooks.cursors import NOT_FOUND, Cursor, Cursors, Key
from services.outbound.webhooks.subscription import Subscription

KIND = "webhook"
WINDOW = 2_000  # deliveries that may wait for a webhook; past it, its cursor stays behind until half of them are sent

ByWorkspace = Mapping[Id, Sequence[Subscription]]


def by_workspace(webhooks: Iterable[Subscription]) -> dict[Id, list[Subscription]]:
    found: dict[Id, list[Subscription]] = defaultdict(list)
    for one in webhooks:
        found[one.workspace].append(one)
    return dict(found)


def wanted_types(webhooks: Iterable[Subscription]) -> frozenset[str] | None:
    """Returns all types that somebody asks for; None: every one."""
    types: set[str] = {"WebhookTested", "StageRuleApplied"}  # they may name the webhook that they are for
    for one in webhooks:
        if not one.types:
            return None
        types |= one.types
    return frozenset(types)


def plan_live(
    records: Iterable[Recorded], webhooks: ByWorkspace, types: frozenset[str] | None, cursors: Cursors, waiting: Waiting
) -> tuple[list[Delivery], dict[Key, Cursor]]:
    """Returns what is sent to webhooks whose cursors are live, and the cursors that moved. One whose window is full, or
    that is switched off, stays behind from here on."""
    planned: list[Delivery] = []
    moved: dict[Key, Cursor] = {}
    room: dict[Id, int] = {}
    for record in records:
        kind = record.kind
        if kind is None or (types is not None and TYPE_NAMES[kind] not in types):
            continue
        for webhook in webhooks.get(record.workspace, ()):
            key = webhook.id, record.partition
            cursor = moved.get(key) or cursors.get(key)
            if cursor is None or not cursor.live or (webhook.enabled and not webhook.wants(record.event)):
                continue
            if webhook.id not in room:
                room[webhook.id] = WINDOW - waiting(webhook.id) if webhook.enabled else 0
            if room[webhook.id] <= 0:
                moved[key] = replace(cursor, live=False, next=record.position)
                continue
            room[webhook.id] -= 1
            planned.append(delivery(record, webhook, cursor.previous))
            moved[key] = replace(cursor, previous=record.position)
    return planned, moved


def plan_behind(
    records: Sequence[Recorded], end: int, webhooks: Iterable[Subscription], cursors: Mapping[Id, Cursor]
) -> tuple[list[Delivery], dict[Id, Cursor]]:
    """Returns what of one page of a partition is sent to webhooks that are behind, and their cursors after it. `end`:
    the position after the page. A cursor beyond the page stays."""
    first = records[0].position if records else end
    here = [
        webhook
        for webhook in webhooks
        if (cursor := cursors.get(webhook.id)) and cursor.next != NOT_FOUND and first <= cursor.next <= end
    ]
    previous = {webhook.id: cursors[webhook.id].previous for webhook in here}
    planned: list[Delivery] = []
    ours = by_workspace(here)
    for record in records:
        for webhook in ours.get(record.workspace, ()) if record.kind else ():
            if cursors[webhook.id].next <= record.position and webhook.wants(record.event):
                planned.append(delivery(record, webhook, previous[webhook.id]))
                previous[webhook.id] = record.position
    return planned, {id: replace(cursors[id], next=end, previous=last) for id, last in previous.items()}


def delivery(record: Recorded, webhook: Subscription, previous: int | None) -> Delivery:
    event = record.event
    id = named_id(webhook.id, event.meta.id)
    return delivery_of(record, KIND, id, webhook.id, event.meta.stream, previous)
