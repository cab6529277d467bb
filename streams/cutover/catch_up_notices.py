"""Notifies subscribers of changes that a rebuild folded before the project role, which will not fold them again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from crm.adapters.postgres.notices import KEYS, NOTIFY
from crm.adapters.postgres.state import as_json
from crm.contract.codec import decode, type_of
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition

POSITIONS = "SELECT consumer, partition, position + 1 FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s"
PositionsSeen = dict[str, dict[int, int]]  # by consumer and partition: the next position


class Change(NamedTuple):
    """An event at a position of the journal that changes a row."""

    name: str  # of the projection
    partition: int
    position: int
    workspace: Id
    key: Id


def positions_seen(conn: psycopg.Connection[Any], consumers: Iterable[str], topic: str) -> PositionsSeen:
    """Returns the checkpoints of these consumers: what readers have seen in their tables."""
    found: PositionsSeen = {}
    for consumer, partition, next_ in conn.execute(POSITIONS, [list(consumers), topic]).fetchall():
        found.setdefault(consumer, {})[partition] = next_
    return found


async def changes_between(
    projections: Sequence[Projection[Any]],
    seen: PositionsSeen,
    at: Mapping[int, ReadPosition],
    bootstrap: str,
    topic: str,
) -> list[Change]:
    """Returns the changes between what readers have `seen` and what is folded up to `at`."""
    lowest: dict[int, int] = {}
    for positions in seen.values():
        lowest |= {p: min(next_, lowest.get(p, next_)) for p, next_ in positions.items()}
    # A position serves as an offset: repeats only add records, so the record is never before it.
    begins = {p: ReadPosition(next_, next_) for p, next_ in lowest.items() if p in at and next_ < at[p].position}
    found: list[Change] = []
    if begins:
        async with KafkaSource(bootstrap, topic, begins, {p: at[p].position for p in begins}) as source:
            async for chunk in source.chunks():
                for position, value in enumerate(chunk.values.to_list(), chunk.first):
                    found += changes(projections, chunk.partition, position, value)
    return found


def changes(projections: Sequence[Projection[Any]], partition: int, position: int, value: bytes) -> Iterator[Change]:
    """Yields a change for each projection that handles this event."""
    handling = [projection for projection in projections if type_of(value) in projection.handles]
    if handling:
        event = decode(value)
        for p in handling:
            yield Change(p.name, partition, position, event.meta.workspace, p.key_of(event))


def notify(
    conn: psycopg.Connection[Any],
    projection: Projection[Any],
    seen: Mapping[int, int],
    at: Mapping[int, ReadPosition],
    found: Iterable[Change],
) -> None:
    """Sends notifications in the caller's transaction, in the form that the project role uses."""
    keys: dict[Id, dict[Id, None]] = {}
    for change in found:
        if change.name == projection.name and change.position >= seen.get(change.partition, 0):
            keys.setdefault(change.workspace, {})[change.key] = None
    next_ = {partition: begin.position for partition, begin in at.items()}
    notices: list[dict[str, Any]] = []
    for workspace, changed in keys.items():
        every = list(changed)
        for n in range(0, len(every), KEYS):
            notice = {"projection": projection.table, "workspace": workspace, "keys": every[n : n + KEYS]}
            notices.append({**notice, "at": next_})
    notices.append({"moved": [([projection.table], next_)]})
    conn.execute(NOTIFY, [as_json([msgspec.json.encode(notice).decode() for notice in notices])])
