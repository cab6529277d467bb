"""Counts what comes to each connection in memory, and publishes it on crm.connections.activity every half minute.

A delivery costs an addition. A process that is killed forgets half a minute of its counts, and no delivery.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from crm.connection_activity import DAY, HOUR, OUTCOMES, Outcome, hour_of, latest
from crm.connector import Connection
from crm.contract.codec import encode
from crm.envelope import named_id
from crm.errors import CrmError
from crm.facts import ConnectionActive
from crm.log import Clock, Log, Record
from crm.scalars import Id, Micros
from crm.shared import ActivityHour, Meta
from crm.topics import ACTIVITY

SECONDS = 30.0  # between two publications
LONGEST = 500  # characters of a reason
logger = structlog.get_logger()


class Counts:
    """The counts of one connection: by hour, and when each outcome was last."""

    __slots__ = ("hours", "last", "refusal", "workspace")

    def __init__(self, workspace: Id) -> None:
        self.workspace = workspace
        self.hours: dict[Micros, dict[str, int]] = {}  # of the last day
        self.last: dict[str, Micros] = {}
        self.refusal = ""

    def add(self, outcome: Outcome, at: Micros, count: int = 1) -> None:
        begins = hour_of(at)
        if (hour := self.hours.get(begins)) is None:
            self.hours = {hour: counts for hour, counts in self.hours.items() if hour > at - DAY - HOUR}
            hour = self.hours[begins] = {}
        hour[outcome] = hour.get(outcome, 0) + count
        self.last[outcome] = max(self.last.get(outcome, at), at)


class ActivityCounts:
    """Of all connections that something came to: no more than there are connections."""

    def __init__(self, instance: str, clock: Clock) -> None:
        self.instance, self.clock = instance, clock
        self.counts: dict[Id, Counts] = {}
        self.changed: set[Id] = set()

    def note(self, connection: Connection, outcome: Outcome, at: Micros, reason: str = "") -> None:
        """Counts one request. `reason`: why it was refused."""
        counts = self.counts.get(connection.id)
        if counts is None:
            counts = self.counts[connection.id] = Counts(connection.workspace)
        counts.add(outcome, at)
        if reason:
            counts.refusal = reason[:LONGEST]
        self.changed.add(connection.id)

    def resume(self, published: Mapping[str, Mapping[str, ConnectionActive]]) -> None:
        """Goes on from what this replica published before it was started again."""
        for facts in published.values():
            if fact := facts.get(self.instance):
                counts = self.counts.setdefault(fact.connection, Counts(fact.meta.workspace))
                for hour in fact.hours:
                    for outcome in OUTCOMES:
                        if count := getattr(hour, outcome):
                            counts.add(outcome, hour.begins_at, count)
                times = {name: getattr(fact, f"{name}_at") for name in OUTCOMES}
                counts.last |= {
                    name: newest for name, at in times.items() if (newest := latest(at, counts.last.get(name)))
                }
                counts.refusal = counts.refusal or fact.refusal

    def stale(self, published: Mapping[str, Mapping[str, ConnectionActive]]) -> list[Record]:
        """Returns tombstones for what replicas of another name published, where it says nothing any more.

        Containers have a new name at each start. A record says nothing once its day is over, if a newer one of the same
        connection says more of each outcome.
        """
        now, gone = self.clock(), []
        for connection, facts in published.items():
            for instance, fact in facts.items():
                newer = [other for other in facts.values() if moment(other) > moment(fact)]
                if instance != self.instance and moment(fact) < now - DAY and any(covers(o, fact) for o in newer):
                    gone.append(Record(ACTIVITY.name, f"{connection}/{instance}".encode(), None))
        return gone

    def records(self) -> list[Record]:
        """Returns what has changed since the last call."""
        changed, self.changed = self.changed, set()
        return [self.record(id, self.counts[id]) for id in sorted(changed)]

    def record(self, id: Id, counts: Counts) -> Record:
        now, key = self.clock(), f"{id}/{self.instance}"
        fact_id = named_id(id, f"activity/{self.instance}/{now}")
        hours = (ActivityHour(at, **given) for at, given in sorted(counts.hours.items()) if at > now - DAY - HOUR)
        fact = ConnectionActive(
            Meta(fact_id, counts.workspace, id, now, now, "intake", fact_id),
            id,
            self.instance,
            **{f"{outcome}_at": at for outcome, at in counts.last.items()},
            refusal=counts.refusal,
            hours=tuple(hours),
        )
        return Record(ACTIVITY.name, key.encode(), encode(fact))

    async def run(self, log: Log, seconds: float = SECONDS) -> None:
        """Publishes what has changed, until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(seconds)
                await self.publish(log)
        finally:
            with contextlib.suppress(Exception):
                await self.publish(log)

    async def publish(self, log: Log) -> None:
        """Writes what has changed. What cannot be written now is written the next time."""
        due = frozenset(self.changed)
        if not (records := self.records()):
            return
        try:
            await log.send(*records)
        except CrmError as error:
            self.changed |= due
            logger.warning("what came to connections is counted in memory for now", error=str(error))


def moment(fact: ConnectionActive) -> Micros:
    return latest(fact.taken_at, fact.quarantined_at, fact.refused_at, fact.failed_at) or Micros(0)


def covers(newer: ConnectionActive, older: ConnectionActive) -> bool:
    names = ("taken_at", "quarantined_at", "refused_at", "failed_at")
    return all((getattr(newer, name) or 0) >= (getattr(older, name) or 0) for name in names)
