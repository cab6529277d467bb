"""`events`: the whole journal of a workspace, as a subscription, or page by page as a query."""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput, Unavailable
from api.live.journal_entry import JournalEntry
from api.live.positions import Positions, positions_of, seal
from api.schema.fields import Argument, field, subscription
from api.schema.scalars import Long
from crm import envelope
from crm.adapters.telemetry.metrics import SUBSCRIBERS
from crm.contract.codec import RECORDS

HEARTBEAT = 1.0  # seconds after which a client without events gets a new cursor
MOST = 500  # events in the answer to a query
PATIENCE = 5.0  # seconds after which a query answers with what it has found so far
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
    more: bool = strawberry.field(description="true: the journal has more by now. Ask again, with the new cursor.")


async def events(
    resume: Any, info: Info, after: str | None = None, types: list[str] | None = None
) -> AsyncGenerator[dict[str, Any]]:
    """Yields a first page with the cursor at which it starts, then pages with events, or a newer cursor each second."""
    context = info.context
    workspace = context.workspace()
    after = resume or after  # an event stream's Last-Event-ID is later than what the query says
    begin = None if after is None else positions_of(after, workspace)
    check_types(types)
    sent, sent_at = None, 0.0
    journal = context.changes.hub.journal
    SUBSCRIBERS.labels("journal").inc()
    try:
        async with aclosing(journal.follow(workspace, begin)) as coming:
            async for at, found in coming:
                context.workspace()
                wanted = found if types is None else [event for event in found if event.type in types]
                if wanted or (at != sent and time.monotonic() - sent_at >= HEARTBEAT):
                    sent, sent_at = at, time.monotonic()
                    yield page_of(workspace, at, wanted, any(map(int.__lt__, at, journal.positions)))
    finally:
        SUBSCRIBERS.labels("journal").dec()


async def event_page(_: Any, info: Info, after: str, first: int, types: list[str] | None = None) -> dict[str, Any]:
    """Returns the next events after a cursor, for those who look in from time to time. Raises BadInput, BadCursor,
    JournalGap, TooMuch, or Unavailable when Kafka does not answer."""
    workspace, journal = info.context.workspace(), info.context.changes.hub.journal
    begin = at = positions_of(after, workspace)
    check_types(types)
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is {first}; it takes 1 to {MOST}. Read the rest with `after`. Nothing was read.")
    found: list[JournalEntry] = []
    more = True
    try:
        async with asyncio.timeout(PATIENCE), aclosing(journal.follow(workspace, begin)) as coming:
            async for at, some in coming:
                found += some if types is None else [event for event in some if event.type in types]
                more = any(map(int.__lt__, at, journal.positions))
                if len(found) >= first or not more:
                    break
    except TimeoutError:
        if at == begin:
            raise Unavailable("Kafka does not answer. Nothing was read; try again.") from None
    at, events = cut(at, found, first)
    return page_of(workspace, at, events, more or len(found) > first)


def check_types(types: Collection[str] | None) -> None:
    """Raises BadInput when there is no such type."""
    if unknown := sorted(set(types or ()) - NAMES):
        raise BadInput(f"There is no event type {', '.join(unknown)}. Types are {', '.join(sorted(NAMES))}.")


def cut(at: Positions, found: Sequence[JournalEntry], most: int) -> tuple[Positions, Sequence[JournalEntry]]:
    """Returns the first events that were found, and the positions where they end."""
    ends = list(at)
    for event in reversed(found[most:]):
        ends[event.partition] = event.position
    return tuple(ends), found[:most]


def page_of(workspace: str, at: Positions, found: Sequence[JournalEntry], more: bool) -> dict[str, Any]:
    return {"cursor": seal(at, workspace), "next": at, "events": found, "more": more}


TYPES = Argument(list[str] | None, None, "Only events of these types, such as DealOpened.")
EVENTS_QUERY = field(
    EventPage,
    {
        "after": Argument(str, "0", "Events after this `cursor`. Default: from the beginning."),
        "first": Argument(int, 100, f"How many events to return, 1 to {MOST}."),
        "types": TYPES,
    },
    event_page,
    "The next events of the workspace's journal, for programs that look in from time to time. Ask again with `cursor`.",
)
EVENTS = subscription(
    EventPage,
    {
        "after": Argument(
            str | None, None, 'Events after this `cursor`; "0" starts at the beginning. Without it: events from now on.'
        ),
        "types": TYPES,
    },
    events,
    "The whole journal of the workspace, each event once. After a disconnect subscribe again with the last `cursor`.",
)
