"""Replies: planned from the journal, sent through the connection by which the customer wrote, at most once."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.connector_send import Accepted, Failed, Later, Sending, Uncertain
from crm.connector_send import Outcome as SendOutcome
from crm.contract.codec import TYPE_NAMES
from crm.envelope import now
from crm.errors import NotYet
from crm.events import MessageStatusChanged, ReplyQueued, ReplyResolved, ReplySent, ReplyUncertain
from crm.log import Log
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys
from crm.topics import INTAKE
from services.connectors import CONNECTORS
from services.intake.records import record_of
from services.outbound.delivery import (
    SECOND,
    Delivery,
    Follower,
    Outcome,
    Recorded,
    Settled,
    State,
    Waiting,
    delivery_of,
)
from services.outbound.planning import CONSUMER
from services.outbound.replies import table
from services.outbound.replies.attempts import attempted
from services.outbound.replies.vendor import Answered, SendingVendors, is_repeatable
from services.outbound.session import Session
from streams.runtime.checkpoints import Partition

if TYPE_CHECKING:
    from services.outbound.role import Outbound

BEHIND = 0.5  # seconds until another look whether the journal was read
LONGEST_WAIT = 24 * 3_600 * SECOND  # then it is given up
FIRST_PAUSE, LAST_PAUSE = 5.0, 600.0  # seconds until another attempt
KAFKA_SECONDS = 30.0  # that an outcome may wait for Kafka before it is tried again
SESSIONS = 4  # of Postgres
LOOK = 2.0  # seconds between two looks for what nobody knows of
OUTCOMES = (ReplySent, ReplyUncertain, ReplyResolved, MessageStatusChanged)
FROM_BEFORE = "It was queued before this database was made, so it is not known whether it was sent."
TOO_LONG = "It waited for more than 24 hours, so it was not sent."
NO_ANSWER = "It was tried for 24 hours, and no answer of the vendor was clear: it may have been sent."
logger = structlog.get_logger()


class Replies(Follower):
    """The follower of replies."""

    kind = "reply"
    once = True

    def __init__(
        self,
        role: "Outbound",
        vendors: SendingVendors | None = None,
        access: Access | None = None,
        log: Log | None = None,
    ) -> None:
        """Tests give what the role otherwise makes itself."""
        self.role, self.dsn, self.bootstrap = role, role.settings.database_url, role.settings.kafka_bootstrap
        self.vendors = vendors or SendingVendors(now)
        self.access = access or Access(SecretKeys.of(role.settings))
        self.follows, self.log = access is None, log
        self.ends: dict[int, int] = {}  # of our partitions: how far the journal must be read before anything is sent
        self.slots: dict[Id, Micros] = {}  # when a delivery may go out, by the limits of its vendor
        self.sessions = [Session(self.dsn) for _ in range(SESSIONS)]
        self.idle: asyncio.LifoQueue[Session] = asyncio.LifoQueue()
        for session in self.sessions:
            self.idle.put_nowait(session)
        self.looking = asyncio.Lock()  # for ends

    async def plan(self, conn: AsyncConnection, records: Sequence[Recorded], waiting: Waiting) -> list[Delivery]:
        planned: dict[Id, Delivery] = {}
        reported: set[Id] = set()
        for record in records:
            if record.kind is ReplyQueued:
                reply: Any = record.event
                if reply.connection_id and await table.add(conn, record, reply, TYPE_NAMES[ReplyQueued]):
                    ids = reply.message_id, reply.connection_id, reply.conversation_id
                    planned[reply.message_id] = delivery_of(record, self.kind, *ids)
            elif record.kind is ReplyResolved and (event := self.resolved(record)).outcome == "again":
                reported.discard(event.message_id)
                at = event.meta.recorded_at
                if one := await table.again(conn, event.message_id, event.attempt, at, self.kind):
                    planned[one.id] = one
            elif record.kind in OUTCOMES:
                reported_event: Any = record.event
                reported.add(reported_event.message_id)
                planned.pop(reported_event.message_id, None)  # its outcome is known: the journal is read again
        await table.settled(conn, reported, self.kind)
        return sorted(planned.values(), key=lambda one: one.order)

    def resolved(self, record: Recorded) -> ReplyResolved:
        event = record.event
        assert isinstance(event, ReplyResolved)
        return event

    async def hold(self, delivery: Delivery) -> Outcome | None:
        """Returns when it may go out, if not now."""
        reply = reply_of(delivery)
        if self.log is None or self.access.missing():
            return wait(1.0)
        if await self.is_behind(delivery.partition):
            return wait(BEHIND)
        connector = CONNECTORS.get(reply.connector)
        if connector is None or connector.send is None:
            return None
        limits, where = connector.send.limits, str(reply.connection_id)
        slot = self.slots.pop(delivery.id, None)
        if slot is None or await self.in_session(table.paused, where):  # asked for after the slot was taken
            gaps = {where: gap(limits.per_second), f"{where}/chat/{reply.chat}": gap(limits.chat_per_second)}
            seconds = await self.in_session(table.reserve, gaps if limits.chat_per_second else {where: gaps[where]})
            slot = Micros(now() + round(seconds * SECOND)) if seconds > 0 else Micros(0)
        if slot > now():
            self.slots[delivery.id] = slot
            return Outcome(State.WAITING, slot, counts=False)
        return None

    def repeats(self, delivery: Delivery) -> bool:
        """Whether an attempt whose outcome is unknown may be made again."""
        connector = CONNECTORS.get(reply_of(delivery).connector)
        return connector is not None and is_repeatable(connector.send)

    async def send(self, delivery: Delivery) -> Outcome:
        reply = reply_of(delivery)
        try:
            progress = await self.in_session(table.progress, delivery.id)
        except (psycopg.Error, OSError):  # nothing was sent yet
            return Outcome(State.WAITING, Micros(now() + SECOND), error="Postgres is away.", healthy=True)
        attempt = progress.attempt if progress else 1
        connection = self.access.connection(str(reply.connection_id))
        connector = CONNECTORS.get(reply.connector)
        if connection is None or connector is None or connector.send is None:
            answered = Answered(Failed("The connection is switched off or removed: nothing can be sent through it."))
        elif connection.locked:
            answered = Answered(Later(connection.locked, 60.0))
        elif progress and now() - progress.since > LONGEST_WAIT:
            tried = delivery.attempts or delivery.state == State.SENDING
            answered = Answered(Uncertain(NO_ANSWER) if tried and self.repeats(delivery) else Failed(TOO_LONG))
        else:
            answered = await self.vendors.call(connector, Sending(reply, connection))
        outcome = answered.outcome
        if isinstance(outcome, Later):
            seconds = outcome.seconds or min(FIRST_PAUSE * 2**delivery.attempts, LAST_PAUSE)
            if answered.page is not None and outcome.seconds:
                with contextlib.suppress(psycopg.Error, OSError):  # the others are refused too then, and wait
                    await self.in_session(table.pause, str(reply.connection_id), seconds)
            until, error = Micros(now() + round(seconds * SECOND)), outcome.reason
            status = answered.page.status if answered.page else 0
            return Outcome(State.WAITING, until, status, error, healthy=answered.page is not None)
        await self.tell(attempted(reply, attempt, outcome, now(), answered.page, connection))
        return stored(outcome, answered)

    async def settled(self, conn: AsyncConnection, settled: Sequence[Settled]) -> None:
        """What a dead process left begun is reported of, once more where it was reported."""
        for one in settled:
            if one.outcome.state is State.UNCERTAIN and one.delivery.event is not None:
                progress = await table.progress(conn, one.delivery.id)
                attempt = progress.attempt if progress else 1
                doubt = Uncertain(one.outcome.error)
                await self.tell(attempted(reply_of(one.delivery), attempt, doubt, one.at, None, None), patiently=False)

    async def tell(self, fact: Any, patiently: bool = True) -> None:
        """Returns once Kafka has it."""
        while True:
            try:
                if self.log is None:
                    raise NotYet("Kafka is not connected yet.")
                return await self.log.send(record_of(fact))
            except NotYet as error:
                if not patiently:
                    raise
                logger.warning(
                    "an outcome cannot be reported yet; trying again", message=fact.message_id, why=str(error)
                )
                await asyncio.sleep(1)

    async def is_behind(self, partition: int) -> bool:
        """Whether the journal holds what was there when this partition became ours and was not read yet, such as the
        outcome of this very reply: a database that was restored has forgotten it. So has one whose checkpoint went
        back."""
        try:
            await self.look_at_ends()
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("the end of the journal is not known yet", error=repr(error))
        read = self.role.loop.checkpoints.get((CONSUMER, Partition(self.role.topic, partition)))
        if partition not in self.ends or read is None:
            return True
        behind = read.next_offset < self.ends[partition]
        self.ends[partition] = max(self.ends[partition], read.next_offset)
        return behind

    async def look_at_ends(self) -> None:
        """Asks Kafka for the ends of the partitions that became ours."""
        async with self.looking:
            ours = set(self.role.assigned())
            for partition in self.ends.keys() - ours:
                del self.ends[partition]
            if new := ours - self.ends.keys():
                _, ends = await self.role.loop.worker.bounds([Partition(self.role.topic, n) for n in new])
                self.ends |= {at.partition: end for at, end in ends.items()}

    async def in_session(self, query: Any, *said: Any) -> Any:
        session = await self.idle.get()
        try:
            return await query(await session.get(), *said)
        finally:
            self.idle.put_nowait(session)

    def missing(self) -> str | None:
        return self.access.missing() if self.log else "replies cannot be reported yet: Kafka is not connected"

    def background(self) -> Coroutine[Any, Any, None] | None:
        return self.run()

    async def run(self) -> None:
        """Follows the connections and writes facts, as long as the role runs."""
        if self.follows:
            await self.access.start(self.bootstrap)
        async with contextlib.AsyncExitStack() as stack:
            if self.follows:
                stack.push_async_callback(self.access.stop)
            stack.push_async_callback(self.vendors.close)
            for session in self.sessions:
                await stack.enter_async_context(session)
            if self.log is None:
                topics = [topic.name for topic in INTAKE.values()]
                self.log = await stack.enter_async_context(KafkaLog(self.bootstrap, topics, timeout=KAFKA_SECONDS))
            while True:
                await asyncio.sleep(LOOK)
                try:
                    await self.report_doubts()
                except Exception as error:
                    logger.warning("doubtful replies are not reported of; trying again", error=repr(error))

    async def report_doubts(self) -> None:
        """Tells of the replies from before this database whose outcome is not in the journal."""
        ours = [partition for partition in self.role.assigned() if not await self.is_behind(partition)]
        if not ours:
            return
        for one, attempt in await self.in_session(table.doubted, ours):
            event = await self.role.sender.event_of(one)
            if isinstance(event, ReplyQueued):
                doubt = Uncertain(FROM_BEFORE)
                await self.tell(attempted(event, attempt, doubt, now(), None, None), patiently=False)
                await self.in_session(table.settled, [one.id], self.kind)


def reply_of(delivery: Delivery) -> ReplyQueued:
    assert isinstance(delivery.event, ReplyQueued)
    return delivery.event


def gap(rate: float) -> float:
    """Returns the seconds between two messages. `rate`: how many a second; 0: any number."""
    return 1 / rate if rate else 0.0


def wait(seconds: float) -> Outcome:
    return Outcome(State.WAITING, Micros(now() + round(seconds * SECOND)), counts=False)


def stored(outcome: SendOutcome, answered: Answered) -> Outcome:
    """Returns what is stored of a final outcome. A vendor that refuses a message works."""
    status = answered.page.status if answered.page else 0
    match outcome:
        case Accepted():
            return Outcome(State.DELIVERED, status=status, response=outcome.message, healthy=True)
        case Failed():
            return Outcome(State.DEAD, status=status, error=outcome.reason, healthy=True)
        case _:
            return Outcome(State.UNCERTAIN, status=status, error=outcome.reason)
