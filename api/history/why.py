"""`why`: how a field got its value, down to the delivery of the vendor."""

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
from crm.engine.provenance import FactShown, Link, chain
from crm.projection import Projection
from crm.scalars import Id
from crm.why import changes
from projections import PROJECTIONS

LONGEST = 20  # changes of a field in one answer


@strawberry.type(name="Delivery", description="The fact that caused an event, with the vendor's raw request.")
class Delivery:
    topic: str = strawberry.field(description="Kafka topic of the fact.")
    partition: int = strawberry.field(description="Kafka partition of the fact.")
    offset: Long = strawberry.field(description="Kafka offset of the fact within the partition.")
    type: str = strawberry.field(description="Type of the fact, such as PaymentReported.")
    said: JSON = strawberry.field(description="The fact without its envelope.")
    content_type: str = strawberry.field(description="Content type of the raw body, as sent.")
    body: str = strawberry.field(description="The raw body as sent; bytes that are not UTF-8 are written as \\xNN.")
    lost: str = strawberry.field(description="Why the raw body is not available; empty when it is.")


@strawberry.type(description="One change of a field, with its cause.")
class Why:
    field: str = strawberry.field(description="Name of the changed column.")
    before: JSON | None = strawberry.field(description="Value before the change; null for a new row.")
    value: JSON | None = strawberry.field(description="Value after the change.")
    event: str = strawberry.field(description="Type of the event that made the change, such as DealStageMoved.")
    event_id: strawberry.ID = strawberry.field(description="Id of that event.")
    occurred_at: str = strawberry.field(description="When it happened, UTC.")
    recorded_at: str = strawberry.field(description="When it was recorded, UTC.")
    said: JSON = strawberry.field(description="The event without its envelope.")
    reasons: JSON = strawberry.field(description="The event's fields that give a reason: why, rule, rules_version, by.")
    actor: str = strawberry.field(description="Who caused it: a connector, a rule or a person.")
    source: str = strawberry.field(description="The connection that the cause came through, or `api`.")
    cause: strawberry.ID = strawberry.field(description="Id of the fact or command that caused the event.")
    delivery: Delivery | None = strawberry.field(description="The fact that caused the event; null for a command.")


async def why(_: Any, info: Info, type: str, id: str, field: str, all: bool) -> list[Why]:
    """Returns changes of a field, newest first. Raises BadInput, TooMuch or Unavailable."""
    projection = projection_of(type)
    column = column_of(projection, field)
    reads = info.context.reads
    events = await own_events(reads, projection, Id(known_id(id)))
    found = (await asyncio.to_thread(changes, projection, events, column))[::-1]
    kafka, archive = info.context.changes.journal.bootstrap, info.context.archive
    try:
        links = await chain(kafka, archive, column, found[:LONGEST] if all else found[:1])
    except Exception as error:  # for any reason that Kafka does not answer
        raise Unavailable(f"Kafka does not answer ({error.__class__.__name__}). Nothing was read; try again.") from None
    return [why_of(projection, column, link) for link in links]


def projection_of(type: str) -> Projection[Any]:
    """Finds a projection by its own name or by its GraphQL type. Raises BadInput."""
    found = {name: name for name in PROJECTIONS} | {type_name(name): name for name in PROJECTIONS}
    if type not in found:
        raise BadInput(f"There is no type {type!r}. Types are {', '.join(type_name(name) for name in PROJECTIONS)}.")
    return PROJECTIONS[found[type]]


def column_of(projection: Projection[Any], field: str) -> str:
    """Returns the column of a field: `amount` is amount_minor, `id` is the key. Raises BadInput."""
    named = {column.name: column.name for column in projection.columns}
    named |= {camel(name.removesuffix("_minor")): name for name in named} | {"id": projection.key}
    if field not in named:
        raise BadInput(f"{type_name(projection.name)} has no field {field!r}; it has {', '.join(map(camel, named))}.")
    return named[field]


def why_of(projection: Projection[Any], column: str, link: Link) -> Why:
    return Why(
        field=link.field,
        before=json_of(projection, column, link.before),
        value=json_of(projection, column, link.value),
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


def json_of(projection: Projection[Any], column: str, value: Any) -> Any:
    """Returns a column's value as JSON."""
    if value is None:
        return None
    found = value_of(next(c for c in projection.columns if c.name == column), value)
    return serialised(found) if isinstance(found, datetime) else found


def delivery(fact: FactShown) -> Delivery:
    return Delivery(
        topic=fact.topic,
        partition=fact.partition,
        offset=Long(fact.offset),
        type=fact.type,
        said=JSON(fact.said),
        content_type=fact.content_type,
        body=fact.body,
        lost=fact.lost,
    )
