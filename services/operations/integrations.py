"""Lists every connector with the connections of a workspace: what comes, what does not, and what to do."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from msgspec import Struct
from psycopg import AsyncConnection

from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.reading import open_consumer
from crm.connection_activity import Activity, State, judged
from crm.connector import Connection
from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.envelope import now
from crm.public_address import url_of
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys
from crm.topics import INTAKE

DECIDED = "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide'"
WORST: tuple[State, ...] = ("failing", "quiet", "never delivered", "connected", "off")


class ConnectionReport(Struct, frozen=True):
    """One connection: the counts are of the last day."""

    connection: Id
    name: str
    state: State
    url: str
    activity: Activity
    advice: str  # empty when nothing is to be done


class ConnectorReport(Struct, frozen=True):
    """One connector of this release. `lag`: facts of its kind in Kafka that are not decided yet."""

    connector: str
    title: str
    family: str
    proof: str
    state: State | None  # the worst of its connections; None when there is none
    lag: int
    connections: tuple[ConnectionReport, ...]


async def integrations(
    bootstrap: str, dsn: str, workspace: Id, intake_url: str, keys: SecretKeys
) -> list[ConnectorReport]:
    """Reads Kafka and Postgres. Returns every connector, in alphabetical order."""
    access, activity = await Access(keys).start(bootstrap), await ActivityDirectory().start(bootstrap)
    await access.stop()
    await activity.stop()
    lags, at = await lags_of(bootstrap, dsn), now()
    ours = [c for c in access.connections.values() if c.workspace == workspace]
    return [report(entry, ours, activity, lags, intake_url, at) for entry in catalogue().values()]


def report(
    entry: ConnectorEntry,
    connections: list[Connection],
    activity: ActivityDirectory,
    lags: Mapping[str, int],
    intake_url: str,
    at: Micros,
) -> ConnectorReport:
    own = sorted((c for c in connections if c.connector == entry.name), key=lambda c: (c.name, c.id))
    found = tuple(connection_report(c, entry, activity.of(c.id, at), intake_url, at) for c in own)
    states = {one.state for one in found}
    worst = next((state for state in WORST if state in states), None)
    return ConnectorReport(entry.name, entry.title, entry.family, entry.proof, worst, lags.get(entry.family, 0), found)


def connection_report(
    connection: Connection, entry: ConnectorEntry, activity: Activity, intake_url: str, at: Micros
) -> ConnectionReport:
    secret, locked = bool(connection.secret), connection.locked
    state, said = judged(activity, entry, connection.id, at, enabled=connection.enabled, secret=secret, locked=locked)
    url = url_of(intake_url, connection.id, entry.proof)
    return ConnectionReport(connection.id, connection.name, state, url, activity, said)


async def lags_of(bootstrap: str, dsn: str) -> dict[str, int]:
    """Returns how many facts of each family decide has still to take."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        decided = {(t, p): offset for t, p, offset in await (await conn.execute(DECIDED)).fetchall()}
    places = [TopicPartition(topic.name, n) for topic in INTAKE.values() for n in range(topic.partitions)]
    async with open_consumer(bootstrap) as consumer:
        ends, begins = await consumer.end_offsets(places), await consumer.beginning_offsets(places)
    left = {p: ends[p] - max(decided.get((p.topic, p.partition), 0), begins[p]) for p in places}
    return {
        family: sum(max(count, 0) for place, count in left.items() if place.topic == topic.name)
        for family, topic in INTAKE.items()
    }
