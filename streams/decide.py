"""The decide role: facts become events. One Postgres transaction a batch: state, checkpoint and outbox together."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from psycopg import AsyncConnection

from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.step import Step
from crm.contract.codec import TYPE_NAMES
from crm.decisions.delivery import NOBODY, legible, raw_of
from crm.engine import recovery as recall
from crm.engine.dead_letters import DeadLetters
from crm.engine.decide_batch import Arrived, decide, refused
from crm.envelope import named_id
from crm.errors import Malformed
from crm.facts import DeliveryQuarantined, FactRetried
from crm.scalars import Micros
from crm.settings import Settings
from crm.shared import Meta
from crm.topics import DECIDED
from streams.runtime.checkpoints import Record
from streams.runtime.loop import Consumption, Todo
from streams.runtime.role import run
from streams.runtime.sessions import REFUSED


class Decide:
    """Handler of the intake topics."""

    consumers = ("decide",)
    positioned = False
    durable = True  # the relay tells the world what is committed

    def __init__(self, quarantine_limit: int = 0) -> None:
        self.dead_letters = DeadLetters(quarantine_limit)

    async def handle(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        """Raises TooManyDeadLetters."""
        self.dead_letters.check()
        arrived = [read(record) for record in todo["decide"]]
        if tracing.spans:
            with tracing.spans.batch("decide", [step_of(one) for one in arrived]) as traces:
                return await self.decide(conn, [traced(*pair) for pair in zip(arrived, traces, strict=True)], careful)
        return await self.decide(conn, arrived, careful)

    async def decide(self, conn: AsyncConnection, arrived: Sequence[Arrived], careful: bool) -> set[str]:
        for one in arrived:
            self.note(one, unreadable(one))
        if careful:
            for one in arrived:
                await self.isolated(conn, one)
        else:
            await decide(conn, arrived, self.note)
        self.dead_letters.check()
        return set()

    def note(self, one: Arrived, why: str) -> None:
        """What an operator takes up again is not counted: it was before."""
        if not isinstance(one.fact, FactRetried):
            self.dead_letters.note((one.topic, one.partition, one.offset), why)

    async def isolated(self, conn: AsyncConnection, one: Arrived) -> None:
        """A savepoint of its own: what Postgres refuses goes to quarantine and holds up nobody."""
        try:
            async with conn.transaction():
                await decide(conn, [one], self.note)
        except REFUSED as error:
            why = f"the database refused it: {error}"
            self.note(one, why)
            await decide(conn, [refused(one, why)])


def read(record: Record) -> Arrived:
    """A record of an intake topic. What cannot be read becomes a quarantined delivery of nobody."""
    place = record.topic, record.partition, record.offset
    try:
        return Arrived(legible(record.value or b""), *place)
    except Malformed as error:
        id = named_id(NOBODY, "/".join(map(str, place)))
        at = Micros(record.timestamp * 1000)
        meta = Meta(id, NOBODY, id, at, at, record.topic, id)
        return Arrived(DeliveryQuarantined(meta, raw_of(record.value or b""), "kafka", str(error)), *place)


def step_of(one: Arrived) -> Step:
    """For traces."""
    name = TYPE_NAMES[type(one.fact)]
    return Step(one.fact.meta.trace, name, {"crm.fact": one.fact.meta.id, "crm.offset": one.offset})


def traced(one: Arrived, trace: str) -> Arrived:
    """The same fact, its events to go on from this span."""
    meta = msgspec.structs.replace(one.fact.meta, trace=trace)
    return replace(one, fact=msgspec.structs.replace(one.fact, meta=meta))


def unreadable(one: Arrived) -> str:
    """Why its record cannot be read; empty when it can. What intake put into quarantine can be read."""
    fact = one.fact
    return fact.reason if isinstance(fact, DeliveryQuarantined) and fact.meta.workspace == NOBODY else ""


class Deciding(Consumption):
    """The loop of decide. Past the limit of dead letters it commits nothing more, and says so."""

    def __init__(self, settings: Settings) -> None:
        handler = Decide(settings.quarantine_limit)
        self.dead_letters = handler.dead_letters
        super().__init__("decide", [topic.name for topic in DECIDED], handler, settings, lambda: ensure(settings))

    def missing(self) -> str | None:
        return self.dead_letters.stopped or super().missing()


async def ensure(settings: Settings) -> None:
    """Nothing is decided on a database that lacks what is in the journal."""
    await recall.ensure(settings.kafka_bootstrap, settings.database_url)


if __name__ == "__main__":
    run("decide", Deciding)
