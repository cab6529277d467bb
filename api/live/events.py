"""The subscription over the whole journal of a workspace: live, or from a cursor on."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput
from api.live.positions import cursor, places
from api.schema.fields import Argument, subscription
from api.schema.scalars import Long
from crm import envelope
from crm.adapters.telemetry.metrics import SUBSCRIBERS
from crm.contract.codec import RECORDS

HEARTBEAT = 1.0  # seconds after which a client is told how far it is, when nothing came for it
NAMES = {name for name, record in RECORDS.items() if issubclass(record, envelope.Event)}


@strawberry.type(description="Something that was decided, as the journal holds it.")
class Event:
    position: Long = strawberry.field(description="Its dense number in its partition.")
    partition: int
    id: strawberry.ID
    type: str = strawberry.field(description="Such as DealOpened: the name of its schema.")
    stream: strawberry.ID = strawberry.field(description="The history it belongs to; one stream's events keep order.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    recorded_at: datetime = strawberry.field(description="When it became known here.")
    actor: str
    cause: strawberry.ID = strawberry.field(description="The fact or command that it was decided on.")
    data: JSON | None = strawberry.field(
        description="Its own fields, as its schema names them: sums in the smallest unit, moments in microseconds UTC. "
        "null when this server is older than the type."
    )


@strawberry.type(description="The next events, or none: then it only tells how far you are.")
class EventPage:
    cursor: str = strawberry.field(description="Everything up to here was told. Give it as `after` to resume.")
    next: list[Long] = strawberry.field(description="The same in numbers: the next position of each partition.")
    events: list[Event] = strawberry.field(description="In the order of their positions within each partition.")


async def events(
    resume: Any, info: Info, after: str | None = None, types: list[str] | None = None
) -> AsyncGenerator[dict[str, Any]]:
    """The first page tells at once where it begins; later ones when something came, or how far it is, each second."""
    context = info.context
    workspace = context.workspace()
    after = resume or after  # an event stream's Last-Event-ID is later than what the query says
    begin = None if after is None else places(after, workspace)
    if unknown := sorted(set(types or ()) - NAMES):
        raise BadInput(f"No event is called {', '.join(unknown)}. There are {', '.join(sorted(NAMES))}.")
    told, told_at = None, 0.0
    SUBSCRIBERS.labels("journal").inc()
    try:
        async with aclosing(context.changes.hub.journal.follow(workspace, begin)) as coming:
            async for at, found in coming:
                context.workspace()
                wanted = found if types is None else [event for event in found if event.type in types]
                if wanted or (at != told and time.monotonic() - told_at >= HEARTBEAT):
                    told, told_at = at, time.monotonic()
                    yield {"cursor": cursor(at, workspace), "next": at, "events": wanted}
    finally:
        SUBSCRIBERS.labels("journal").dec()


EVENTS = subscription(
    EventPage,
    {
        "after": Argument(str | None, None, 'A `cursor`: what follows it. "0": from the beginning. Without: from now.'),
        "types": Argument(list[str] | None, None, "Events of these types only."),
    },
    events,
    "The whole journal of the workspace, each event once, also through a cut: subscribe again with the last `cursor`.",
)
