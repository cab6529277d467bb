"""`why`: how a field came to its value, down to what somebody sent, as fields of the schema."""

import asyncio
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadInput, Unavailable
from api.history.asof import own_events, value_of
from api.schema.filters import known_id
from api.schema.names import camel, type_name
from api.schema.scalars import Long
from api.schema.scalars import moment as serialised
from crm.engine.provenance import Link, Told, chain
from crm.projection import Projection
from crm.scalars import Id
from crm.why import changes
from projections import PROJECTIONS

LONGEST = 20  # changes of a field that are told


@strawberry.type(
    name="Delivery", description="The fact behind an event: what the outside told, where it lies in Kafka."
)
class Delivery:
    topic: str = strawberry.field(description="Of Kafka.")
    partition: int
    offset: Long = strawberry.field(description="In the topic's partition.")
    type: str
    said: JSON = strawberry.field(description="The fact without its envelope.")
    content_type: str
    body: str = strawberry.field(description="Byte for byte what was sent; what is no UTF-8 is written as \\xNN.")
    lost: str = strawberry.field(description="Why it cannot be shown; empty when it can.")


@strawberry.type(description="One change of a field, and all that led to it.")
class Why:
    field: str = strawberry.field(description="The column.")
    before: JSON | None = strawberry.field(description="What it was before; null for a new row.")
    value: JSON | None = strawberry.field(description="What the event made of it.")
    event: str = strawberry.field(description="Its type, such as DealStageMoved.")
    event_id: strawberry.ID = strawberry.field(description="Of the event.")
    occurred_at: str = strawberry.field(description="When it happened, UTC.")
    recorded_at: str = strawberry.field(description="When it came to be known here, UTC.")
    said: JSON = strawberry.field(description="The event without its envelope.")
    reasons: JSON = strawberry.field(description="What of it gives grounds: why, rule, rules_version, by.")
    actor: str
    source: str = strawberry.field(description="The connection.")
    cause: strawberry.ID = strawberry.field(description="The fact or the command.")
    delivery: Delivery | None = strawberry.field(description="Null: a command of this API, which is its event.")


async def why(_: Any, info: Info, type: str, id: str, field: str, all: bool) -> list[Why]:
    """The newest change first. Raises BadInput, TooMuch, Unavailable."""
    projection = projection_of(type)
    column = column_of(projection, field)
    reads = info.context.reads
    events = await own_events(reads, projection, Id(known_id(id)))
    found = (await asyncio.to_thread(changes, projection, events, column))[::-1]
    kafka, archive = info.context.changes.journal.bootstrap, info.context.archive
    try:
        links = await chain(kafka, archive, column, found[:LONGEST] if all else found[:1])
    except Exception as error:  # whatever keeps Kafka from answering
        raise Unavailable(f"Kafka does not answer ({error.__class__.__name__}). Nothing was read; try again.") from None
    return [shown(projection, column, link) for link in links]


def projection_of(told: str) -> Projection[Any]:
    """By its own name or by its type's."""
    found = {name: name for name in PROJECTIONS} | {type_name(name): name for name in PROJECTIONS}
    if told not in found:
        raise BadInput(f"There is no type {told!r}; there are {', '.join(type_name(name) for name in PROJECTIONS)}.")
    return PROJECTIONS[found[told]]


def column_of(projection: Projection[Any], told: str) -> str:
    """A field's column: `amount` is amount_minor, `id` the key."""
    named = {column.name: column.name for column in projection.columns}
    named |= {camel(name.removesuffix("_minor")): name for name in named} | {"id": projection.key}
    if told not in named:
        raise BadInput(f"{type_name(projection.name)} has no field {told!r}; it has {', '.join(map(camel, named))}.")
    return named[told]


def shown(projection: Projection[Any], column: str, link: Link) -> Why:
    return Why(
        field=link.field,
        before=plain(projection, column, link.before),
        value=plain(projection, column, link.value),
        event=link.event,
        event_id=strawberry.ID(link.event_id),
        occurred_at=link.occurred_at,
        recorded_at=link.recorded_at,
        said=JSON(link.said),
        reasons=JSON(link.reasons),
        actor=link.actor,
        source=link.source,
        cause=strawberry.ID(link.cause),
        delivery=delivery(link.fact) if link.fact else None,
    )


def plain(projection: Projection[Any], column: str, value: Any) -> Any:
    """A column's value as JSON."""
    if value is None:
        return None
    found = value_of(next(c for c in projection.columns if c.name == column), value)
    return serialised(found) if isinstance(found, datetime) else found


def delivery(told: Told) -> Delivery:
    return Delivery(
        topic=told.topic,
        partition=told.partition,
        offset=Long(told.offset),
        type=told.type,
        said=JSON(told.said),
        content_type=told.content_type,
        body=told.body,
        lost=told.lost,
    )
