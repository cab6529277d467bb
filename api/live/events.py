"""The subscription `events`: the whole journal of a workspace, live or from a cursor."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput
from api.live.positions import positions_of, seal
from api.schema.fields import Argument, subscription
from api.schema.scalars import Long
from crm import envelope
from crm.adapters.telemetry.metrics import SUBSCRIBERS
from crm.contract.codec import RECORDS

HEARTBEAT = 1.0  # seconds after which a client without events gets a new cursor
NAMES = {name for name, record in RECORDS.items() if issubclass(record, envelope.Event)}


@strawberry.type(description="An event of the journal: something that was decided.")
class Event:
    position: Long = strawberry.field(description="Its number within its partition, without gaps.")
    partition: int = strawberry.field(description="Partition of the journal. All events of a stream are in one.")
    id: strawberry.ID
    type: str = strawberry.field(description="The name of its Avro schema, such as DealOpened.")
    stream: strawberry.ID = strawberry.field(description="Id of the stream it belongs to. Its events keep their order.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    actor: str
    cause: strawberry.ID = strawberry.field(description="Id of the fact or command that caused it.")
    data: JSON | None = strawberry.field(
        description="Its own fields, named as in its schema: amounts in the currency's smallest unit, times in "
        "microseconds since 1970 UTC. null when this server does not know the type yet."
    )


@strawberry.type(description="The next events. It may have none: then it only brings a newer cursor.")
class EventPage:
    cursor: str = strawberry.field(description="Send it as `after` to resume: everything before it was delivered.")
    next: list[Long] = strawberry.field(description="The same as numbers: the next position of each partition.")
    events: list[Event] = strawberry.field(description="Events, in the order of their positions within each partition.")


async def events(
    resume: Any, info: Info, after: str | None = None, types: list[str] | None = None
) -> AsyncGenerator[dict[str, Any]]:
    """Yields a first page with the cursor at which it starts, then pages with events, or a newer cursor each second."""
    context = info.context
    workspace = context.workspace()
    after = resume or after  # an event stream's Last-Event-ID is later than what the query says
    begin = None if after is None else positions_of(after, workspace)
    if unknown := sorted(set(types or ()) - NAMES):
        raise BadInput(f"There is no event type {', '.join(unknown)}. Types are {', '.join(sorted(NAMES))}.")
    sent, sent_at = None, 0.0
    SUBSCRIBERS.labels("journal").inc()
    try:
        async with aclosing(context.changes.hub.journal.follow(workspace, begin)) as coming:
            async for at, found in coming:
                context.workspace()
                wanted = found if types is None else [event for event in found if event.type in types]
                if wanted or (at != sent and time.monotonic() - sent_at >= HEARTBEAT):
                    sent, sent_at = at, time.monotonic()
                    yield {"cursor": seal(at, workspace), "next": at, "events": wanted}
    finally:
        SUBSCRIBERS.labels("journal").dec()


EVENTS = subscription(
    EventPage,
    {
        "after": Argument(
            str | None, None, 'Events after this `cursor`; "0" starts at the beginning. Without it: events from now on.'
        ),
        "types": Argument(list[str] | None, None, "Only events of these types, such as DealOpened."),
    },
    events,
    "The whole journal of the workspace, each event once. After a disconnect subscribe again with the last `cursor`.",
)
