"""The log of a webhook's deliveries, and events page by page for those who poll."""

from datetime import datetime, timedelta
from enum import Enum
from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.errors import BadInput
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.scalars import Long
from api.sql.database import rows
from crm.decisions.workspace import EPOCH

MOST = 500
DELIVERIES = """
SELECT id::text, type, state, stream::text AS subject, partition, position, previous, planned_at, attempted_at, due_at,
  attempts, status, took_ms::int AS took_ms, error, response, coalesce(tries, '[]') AS tries
FROM outbound.delivery
WHERE workspace = %(workspace)s AND target = %(webhook)s AND (%(state)s = '' OR state = %(state)s)
  AND (%(type)s = '' OR type = %(type)s)
  AND (%(subject)s::uuid IS NULL OR stream = %(subject)s)
  AND (%(before)s::timestamptz IS NULL OR planned_at < %(before)s)
ORDER BY planned_at DESC, position DESC LIMIT %(first)s"""


@strawberry.enum(description="Where a delivery is.")
class DeliveryState(Enum):
    WAITING = strawberry.enum_value("waiting", description="It is being sent, or tried again later.")
    SENDING = strawberry.enum_value("sending", description="An attempt was begun.")
    DELIVERED = strawberry.enum_value("delivered", description="The receiver answered 2xx.")
    DEAD = strawberry.enum_value("dead", description="It was given up. `webhookRetry` sends it again.")
    DISCARDED = strawberry.enum_value("discarded", description="It is not sent any more.")
    UNCERTAIN = strawberry.enum_value("uncertain", description="It may have arrived, and was not sent twice.")


@strawberry.type(description="An attempt that failed.")
class DeliveryAttempt:
    at: datetime = strawberry.field(description="When it ended.")
    status: int = strawberry.field(description="HTTP status; 0 without an answer.")
    milliseconds: int = strawberry.field(description="How long it took.")
    error: str = strawberry.field(description="Why it failed, as text for people; empty when the status says it.")


@strawberry.type(description="One event on its way to one receiver.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="The header `webhook-id`, the same in each attempt and replay.")
    type: str = strawberry.field(description="The type of its event.")
    state: DeliveryState = strawberry.field(description="Where it is.")
    subject: strawberry.ID = strawberry.field(description="Stream of the event. Deliveries of one keep their order.")
    partition: int = strawberry.field(description="Partition of the journal.")
    position: Long = strawberry.field(description="Position of the event in its partition.")
    previous: Long | None = strawberry.field(
        description="Position of the delivery before it to this webhook in this partition; null: it begins here."
    )
    planned_at: datetime = strawberry.field(description="When it was planned.")
    attempted_at: datetime | None = strawberry.field(description="When the last attempt ended; null: none did.")
    due_at: datetime = strawberry.field(description="When it is tried again, while it is waiting.")
    attempts: int = strawberry.field(description="How many attempts were made.")
    status: int = strawberry.field(description="HTTP status of the last answer; 0 without one.")
    milliseconds: int = strawberry.field(description="How long the last attempt took.")
    error: str = strawberry.field(description="Why the last attempt failed; empty when it did not.")
    response: str = strawberry.field(description="The beginning of the last answer.")
    failed: list[DeliveryAttempt] = strawberry.field(description="The attempts that failed, the first one first.")


async def deliveries(
    _: Any,
    info: Info,
    webhook_id: str,
    state: DeliveryState | None = None,
    type: str = "",
    subject: str | None = None,
    before: datetime | None = None,
    first: int = 50,
) -> list[WebhookDelivery]:
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is 1 to {MOST}. Nothing was read.")
    context = info.context
    given = {
        "webhook": known_id(webhook_id),
        "state": state.value if state else "",
        "type": type,
        "subject": None if subject is None else known_id(subject),
        "before": before,
    }
    found = await rows(context.pool, DELIVERIES, {"workspace": context.workspace(), "first": first, **given})
    return [delivery(row) for row in found]


def delivery(row: dict[str, Any]) -> WebhookDelivery:
    tries, took = row.pop("tries"), row.pop("took_ms")
    failed = [DeliveryAttempt(at=moment(at), status=s, milliseconds=ms, error=why) for at, s, ms, why in tries]
    return WebhookDelivery(**{**row, "state": DeliveryState(row["state"])}, milliseconds=took, failed=failed)


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(at))


WEBHOOK_DELIVERIES = field(
    GenericAlias(list, WebhookDelivery),
    {
        "webhook_id": Argument(strawberry.ID, about="Id of the webhook."),
        "state": Argument(DeliveryState | None, None, "Only deliveries in this state."),
        "type": Argument(str, "", "Only deliveries of this type of event."),
        "subject": Argument(strawberry.ID | None, None, "Only deliveries of this stream, such as a deal."),
        "before": Argument(datetime | None, None, "Only deliveries planned before: `plannedAt` of the last one."),
        "first": Argument(int, 50, f"How many, at most {MOST}."),
    },
    deliveries,
    "The log of a webhook's deliveries, the newest first.",
)
