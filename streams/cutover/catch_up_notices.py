"""Subscribers are told of what a rebuild has ahead of the project role: that role does not fold these events again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from crm.adapters.postgres.notices import KEYS, NOTIFY
from crm.adapters.postgres.state import as_json
from crm.contract.codec import decode, type_of
from crm.projection import Projection
from crm.scalars import Id
from streams.rebuild.read.kafka_source import Begin, KafkaSource

POSITIONS = "SELECT consumer, partition, position + 1 FROM core.checkpoint WHERE consumer = ANY (%s) AND topic = %s"
Seen = dict[str, dict[int, int]]  # by consumer: the next position of each partition


class Change(NamedTuple):
    """An event of the journal changes a row."""

    name: str  # of the projection
    partition: int
    position: int
    workspace: Id
    key: Id


def seen(conn: psycopg.Connection[Any], consumers: Iterable[str], topic: str) -> Seen:
    found: Seen = {}
    for consumer, partition, next_ in conn.execute(POSITIONS, [list(consumers), topic]).fetchall():
        found.setdefault(consumer, {})[partition] = next_
    return found


async def ahead(
    projections: Sequence[Projection[Any]], seen: Seen, at: Mapping[int, Begin], bootstrap: str, topic: str
) -> list[Change]:
    """Of the events between what is `seen` and what is folded."""
    lowest: dict[int, int] = {}
    for places in seen.values():
        lowest |= {p: min(next_, lowest.get(p, next_)) for p, next_ in places.items()}
    # A position will do as an offset: repeats only add, so none lies before it.
    begins = {p: Begin(next_, next_) for p, next_ in lowest.items() if p in at and next_ < at[p].position}
    found: list[Change] = []
    if begins:
        async with KafkaSource(bootstrap, topic, begins, {p: at[p].position for p in begins}) as source:
            async for slab in source.slabs():
                for position, value in enumerate(slab.values.to_list(), slab.first):
                    found += changes(projections, slab.partition, position, value)
    return found


def changes(projections: Sequence[Projection[Any]], partition: int, position: int, value: bytes) -> Iterator[Change]:
    mine = [projection for projection in projections if type_of(value) in projection.handles]
    if mine:
        event = decode(value)
        for p in mine:
            yield Change(p.name, partition, position, event.meta.workspace, p.key_of(event))


def tell(
    conn: psycopg.Connection[Any],
    projection: Projection[Any],
    seen: Mapping[int, int],
    at: Mapping[int, Begin],
    found: Iterable[Change],
) -> None:
    """In the caller's transaction, as the project role would have done it."""
    keys: dict[Id, dict[Id, None]] = {}
    for change in found:
        if change.name == projection.name and change.position >= seen.get(change.partition, 0):
            keys.setdefault(change.workspace, {})[change.key] = None
    next_ = {partition: begin.position for partition, begin in at.items()}
    notices: list[dict[str, Any]] = []
    for workspace, some in keys.items():
        every = list(some)
        for n in range(0, len(every), KEYS):
            place = {"projection": projection.table, "workspace": workspace, "keys": every[n : n + KEYS]}
            notices.append({**place, "at": next_})
    notices.append({"moved": [([projection.table], next_)]})
    conn.execute(NOTIFY, [as_json([msgspec.json.encode(notice).decode() for notice in notices])])
