"""The processing of the installation: how far each role is, which read models are rebuilt, how far the archive is."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from types import GenericAlias
from typing import Any

import psycopg
import strawberry

from api.access import require
from api.context import Context, Info
from api.errors import Unavailable
from api.live.processing import Look, Place, rate
from api.schema.fields import field
from api.schema.scalars import Long
from crm.adapters.archive import manifest
from crm.envelope import now
from crm.errors import Broken
from crm.topics import JOURNAL
from projections import PROJECTIONS

READ_ONLY = "This server is read-only: it has no connection that sees the other roles. Nothing was read."
AWAY = "The database does not answer ({}). Nothing was read; try again."


@strawberry.type(description="One partition, as one consumer reads it.")
class PartitionProgress:
    topic: str = strawberry.field(description="The topic in Kafka.")
    partition: int = strawberry.field(description="Partition of the topic.")
    next: Long = strawberry.field(description="What is taken next: an offset; of the journal a position.")
    end: Long = strawberry.field(description="What will be written next.")
    lag: Long = strawberry.field(description="Records that are not taken yet.")
    rate: float | None = strawberry.field(
        description="Records a second of the last minute; null at the first look after a while."
    )
    halted: bool = strawberry.field(description="Whether it has stopped there and waits for a person.")


@strawberry.type(description="A consumer: a role, or one read model of the role project.")
class ConsumerProgress:
    role: str = strawberry.field(description="intake, decide, relay, project or outbound.")
    name: str = strawberry.field(description="The name of the read model; of other roles the role.")
    lag: Long = strawberry.field(description="Records that are not taken yet, of all its partitions.")
    rate: float | None = strawberry.field(
        description="Records a second of the last minute; null at the first look after a while."
    )
    halted: bool = strawberry.field(description="Whether it has stopped: `crm doctor` says why and what to do.")
    partitions: list[PartitionProgress] = strawberry.field(description="Partition by partition.")


@strawberry.type(description="How far the roles are. Counts are of the whole installation, not of one workspace.")
class Processing:
    at: datetime = strawberry.field(description="When this was looked at.")
    relay_leads: bool = strawberry.field(description="Whether a relay carries decided events to Kafka.")
    consumers: list[ConsumerProgress] = strawberry.field(description="In the order in which data passes them.")


@strawberry.type(description="A read model that does not show the version of this release yet.")
class PendingReadModel:
    name: str = strawberry.field(description="Name of the read model.")
    at_work: bool = strawberry.field(description="Whether it is being built from the journal now.")
    situation: str = strawberry.field(description="How it stands and what to do, as text for people.")


@strawberry.type(description="The archive that this server reads.")
class ArchiveState:
    files: int = strawberry.field(description="Container files.")
    records: Long = strawberry.field(description="Records of all topics.")
    size: Long = strawberry.field(description="Bytes.")
    missing: Long = strawberry.field(description="Events of the journal that it does not have yet.")
    problem: str | None = strawberry.field(description="Why it cannot be read, as text for people; null when it can.")


async def processing(_: Any, info: Info) -> Processing:
    context = permitted(info)
    if context.processing is None:
        raise Unavailable(READ_ONLY)
    newest, oldest = await context.processing.look()
    grouped = groupby(newest.progress, lambda place: (place.role, place.name))
    consumers = [consumer(role, name, [*places], newest, oldest) for (role, name), places in grouped]
    return Processing(at=datetime.fromtimestamp(now() / 1e6, UTC), relay_leads=newest.leads, consumers=consumers)


def consumer(role: str, name: str, places: list[Place], newest: Look, oldest: Look) -> ConsumerProgress:
    found = [part(place, newest, oldest) for place in places]
    rates = [one.rate for one in found if one.rate is not None]
    return ConsumerProgress(
        role=role,
        name=name,
        lag=Long(sum(one.lag for one in found)),
        rate=round(sum(rates), 2) if rates else None,
        halted=any(one.halted for one in found),
        partitions=found,
    )


def part(place: Place, newest: Look, oldest: Look) -> PartitionProgress:
    at = newest.progress[place]
    return PartitionProgress(
        topic=place.topic,
        partition=place.partition,
        next=Long(at.next),
        end=Long(at.end),
        lag=Long(at.lag),
        rate=rate(newest, oldest, place),
        halted=at.halted,
    )


async def pending(_: Any, info: Info) -> list[PendingReadModel]:
    context = permitted(info)
    if context.executor is None:
        raise Unavailable(READ_ONLY)
    try:
        return await asyncio.to_thread(outdated, context.executor.dsn)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable) as error:
        raise Unavailable(AWAY.format(type(error).__name__)) from None


def outdated(dsn: str) -> list[PendingReadModel]:
    from streams.cutover.status import outdated_views  # what a rebuild needs is loaded when somebody looks

    with psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="potik api rebuilds") as conn:
        found = outdated_views(conn, PROJECTIONS.values())
        return [PendingReadModel(name=one.name, at_work=one.at_work, situation=one.sentence) for one in found]


async def archive_state(_: Any, info: Info) -> ArchiveState | None:
    context = permitted(info)
    if context.archive is None:
        return None
    heads: dict[int, int] = {}
    if context.processing:
        newest, _oldest = await context.processing.look()
        heads = {place.partition: at.end for place, at in newest.progress.items() if place.role == "relay"}
    return await asyncio.to_thread(archived, context.archive, heads)


def archived(folder: Path, heads: dict[int, int]) -> ArchiveState:
    """`heads`: the next position of each partition of the journal."""
    try:
        files = manifest.read(folder).files
    except (Broken, OSError) as error:
        none, missing = Long(0), Long(sum(heads.values()))
        return ArchiveState(files=0, records=none, size=none, missing=missing, problem=str(error))
    last = positions(files)
    return ArchiveState(
        files=len(files),
        records=Long(sum(one.count for one in files)),
        size=Long(sum(one.size for one in files)),
        missing=Long(sum(max(0, head - last.get(partition, 0)) for partition, head in heads.items())),
        problem=None,
    )


def positions(files: Iterable[manifest.File]) -> dict[int, int]:
    """Returns the position after the last that is archived, by partition of the journal."""
    found: dict[int, int] = {}
    for one in files:
        if one.topic == JOURNAL.name and one.last_position is not None:
            found[one.partition] = max(found.get(one.partition, 0), one.last_position + 1)
    return found


def permitted(info: Info) -> Context:
    """Raises Unauthorized, or Forbidden without the scope `connect`: this is for who runs the installation."""
    require(info.context.token, "connect")
    return info.context


PROCESSING = {
    "processing": field(
        Processing, {}, processing, "How far each role is and how fast, by partition. Needs the scope `connect`."
    ),
    "pending_read_models": field(
        GenericAlias(list, PendingReadModel),
        {},
        pending,
        "Read models that do not show this release's version: being built, or to be. Needs the scope `connect`.",
    ),
    "archive_state": field(
        ArchiveState | None,
        {},
        archive_state,
        "The archive of facts and journal; null where this server has none. Needs the scope `connect`.",
    ),
}
