"""The decide role: facts become events. One Postgres transaction a batch: state, checkpoint and outbox together."""

import re

from psycopg import AsyncConnection

from crm.adapters import recall
from crm.adapters.deciding import Arrived, decide, raw_of, refused
from crm.codec import TYPE_NAMES, decode
from crm.envelope import Fact, named_id
from crm.errors import Malformed
from crm.facts import DeliveryQuarantined
from crm.scalars import Id, Micros
from crm.settings import Settings
from crm.shared import Meta
from crm.topics import DECIDED
from streams.checkpoints import Record
from streams.consume import REFUSED, Consumption, Todo
from streams.role import run

NOBODY = Id("00000000-0000-0000-0000-000000000000")  # the workspace of a record that does not even tell its own
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Decide:
    """Handler of the intake topics."""

    consumers = ("decide",)
    positioned = False
    durable = True  # the relay tells the world what is committed

    async def handle(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        arrived = [read(record) for record in todo["decide"]]
        if careful:
            for one in arrived:
                await self.isolated(conn, one)
        else:
            await decide(conn, arrived)
        return set()

    async def isolated(self, conn: AsyncConnection, one: Arrived) -> None:
        """A savepoint of its own: what Postgres refuses goes to quarantine and holds up nobody."""
        try:
            async with conn.transaction():
                await decide(conn, [one])
        except REFUSED as error:
            await decide(conn, [refused(one, f"the database refused it: {error}")])


def read(record: Record) -> Arrived:
    """A record of an intake topic. What cannot be read becomes a quarantined delivery of nobody."""
    place = record.topic, record.partition, record.offset
    try:
        fact = decode(record.value or b"")
        if not isinstance(fact, Fact):
            raise Malformed(f"{TYPE_NAMES[type(fact)]} is no fact")
        if not (UUID.fullmatch(fact.meta.id) and UUID.fullmatch(fact.meta.workspace)):
            raise Malformed("meta.id and meta.workspace must be UUIDs in canonical text")
        return Arrived(fact, *place)
    except Malformed as error:
        id = named_id(NOBODY, "/".join(map(str, place)))
        at = Micros(record.timestamp * 1000)
        meta = Meta(id, NOBODY, id, at, at, record.topic, id)
        return Arrived(DeliveryQuarantined(meta, raw_of(record.value or b""), "kafka", str(error)), *place)


def consumption(settings: Settings) -> Consumption:
    topics = [topic.name for topic in DECIDED]
    return Consumption("decide", topics, Decide(), settings, lambda: ensure(settings))


async def ensure(settings: Settings) -> None:
    """Nothing is decided on a database that lacks what is in the journal."""
    await recall.ensure(settings.kafka_bootstrap, settings.database_url)


if __name__ == "__main__":
    run("decide", consumption)
