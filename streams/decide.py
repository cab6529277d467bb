"""The decide role: turns facts into events. Each batch is one Postgres transaction of state, checkpoint and outbox."""

from collections.abc import Sequence

from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.step import Step
from crm.contract.codec import TYPE_NAMES
from crm.decisions.delivery import NOBODY, decode_fact, raw_of
from crm.engine import recovery
from crm.engine.dead_letters import DeadLetters
from crm.engine.decide_batch import Arrived, decide, refused
from crm.envelope import named_id
from crm.errors import Malformed
from crm.facts import DeliveryQuarantined, FactRetried
from crm.scalars import Micros
from crm.settings import Settings
from crm.shared import Meta
from crm.topics import DECIDED, INTAKE
from streams import takeover
from streams.runtime.checkpoints import Record
from streams.runtime.loop import ConsumerLoop, NewRecords
from streams.runtime.role import run
from streams.runtime.sessions import REFUSED


class Decide:
    """Handler of the intake topics."""

    consumers = ("decide",)
    positioned = False
    durable = True  # the relay publishes what is committed

    def __init__(self, quarantine_limit: int = 0) -> None:
        self.dead_letters = DeadLetters(quarantine_limit)

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        """Decides one batch. Raises TooManyDeadLetters past the limit."""
        self.dead_letters.check()
        arrived = [read(record) for record in todo["decide"]]
        if tracing.spans:
            with tracing.spans.batch("decide", [step_of(one) for one in arrived]) as traces:
                traced = [with_trace(*pair) for pair in zip(arrived, traces, strict=True)]
                return await self.decide(conn, traced, isolate)
        return await self.decide(conn, arrived, isolate)

    async def decide(self, conn: AsyncConnection, arrived: Sequence[Arrived], isolate: bool) -> set[str]:
        for one in arrived:
            self.note(one, unreadable_reason(one))
        if isolate:
            for one in arrived:
                await self.decide_alone(conn, one)
        else:
            await decide(conn, arrived, self.note)
        self.dead_letters.check()
        return set()

    def note(self, one: Arrived, why: str) -> None:
        """Counts a dead letter. A retry by an operator is not counted again."""
        if not isinstance(one.fact, FactRetried):
            self.dead_letters.note((one.topic, one.partition, one.offset), why)

    async def decide_alone(self, conn: AsyncConnection, one: Arrived) -> None:
        """Decides one fact in its own savepoint. A fact that Postgres rejects is quarantined and blocks no other."""
        try:
            async with conn.transaction():
                await decide(conn, [one], self.note)
        except REFUSED as error:
            why = f"the database refused it: {error}"
            self.note(one, why)
            await decide(conn, [refused(one, why)])


def read(record: Record) -> Arrived:
    """Reads a record of an intake topic. An unreadable one becomes a quarantined delivery without a workspace."""
    source = record.topic, record.partition, record.offset
    try:
        return Arrived(decode_fact(record.value or b""), *source)
    except Malformed as error:
        id = named_id(NOBODY, "/".join(map(str, source)))
        at = Micros(record.timestamp * 1000)
        meta = Meta(id, NOBODY, id, at, at, record.topic, id)
        return Arrived(DeliveryQuarantined(meta, raw_of(record.value or b""), "kafka", str(error)), *source)


def step_of(one: Arrived) -> Step:
    """Returns the trace step of a fact."""
    name = TYPE_NAMES[type(one.fact)]
    return Step(one.fact.meta.trace, name, {"crm.fact": one.fact.meta.id, "crm.offset": one.offset})


def with_trace(one: Arrived, trace: str) -> Arrived:
    """Returns the fact with this trace, so that its events continue from this span."""
    return replace(one, fact=replace(one.fact, meta=replace(one.fact.meta, trace=trace)))


def unreadable_reason(one: Arrived) -> str:
    """Returns why the record cannot be read, or "" when it can. A delivery quarantined by intake can be read."""
    fact = one.fact
    return fact.reason if isinstance(fact, DeliveryQuarantined) and fact.meta.workspace == NOBODY else ""


class DecideLoop(ConsumerLoop):
    """The loop of the decide role. Past the limit of dead letters it commits nothing more and is not ready."""

    def __init__(self, settings: Settings) -> None:
        handler = Decide(settings.quarantine_limit)
        self.dead_letters = handler.dead_letters
        topics = [topic.name for topic in DECIDED]
        patient = {INTAKE["facts"].name}  # what programs and files send in bulk
        super().__init__("decide", topics, handler, settings, lambda: ensure(settings), patient=patient)

    def missing(self) -> str | None:
        return self.dead_letters.stopped or super().missing()


async def ensure(settings: Settings) -> None:
    """Recovers state missing from the database, and takes over what an earlier release left, before it decides."""
    await recovery.ensure(settings.kafka_bootstrap, settings.database_url)
    await takeover.ensure(settings.kafka_bootstrap, settings.database_url)


if __name__ == "__main__":
    run("decide", DecideLoop)
