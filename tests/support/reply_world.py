"""Replies on real servers for a test: a journal, simulated vendors, connections and facts in Kafka, and the role in
processes of its own."""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import DEVNULL
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from crm.contract.codec import decode
from crm.envelope import Event, named_id, now
from crm.events import ReplyQueued, ReplyResolved
from crm.facts import ConnectionDeclared, ReplyAttempted
from crm.scalars import Id
from crm.topics import INTAKE
from crm.vendor_override import variable
from services.connectors.rehearsal import rehearsals
from services.stack.process import Process, spawn, until
from streams.relay import Relay
from tests.simulator.sending import Senders
from tests.simulator.servers import served
from tests.support.intake_server import meta
from tests.support.isolated_journal import IsolatedJournal
from tests.support.outbound_world import declare, kill, states
from tests.support.records import open_connection
from tests.support.scenarios import SHOP
from tests.support.secret_keys import SECRETS_KEY
from tests.support.timeouts import TIMEOUT


class ReplyWorld:
    """One workspace with a connection of each connector that is asked for."""

    def __init__(self, journal: IsolatedJournal, relay: Relay, vendors: Senders, address: str) -> None:
        self.journal, self.relay, self.vendors, self.address = journal, relay, vendors, address
        self.scope = Id(str(uuid4()))
        self.queued: dict[str, ReplyQueued] = {}  # by text

    def connection(self, connector: str) -> Id:
        return named_id(self.scope, connector)

    def card(self, chat: str) -> Id:
        return named_id(self.scope, f"card {chat}")

    async def connect(self, *connectors: str) -> None:
        facts = []
        for connector in connectors:
            id = self.connection(connector)
            about = replace(meta(id), workspace=SHOP)
            settings = dict(rehearsals()[connector].sends)
            facts.append(ConnectionDeclared(about, id, connector, connector, "TEST-secret", settings))
        await declare(self.journal, *facts)

    async def commit(self, *events: Event) -> None:
        """Commits events; returns when they are in the journal and its history."""
        await self.journal.commit(*events)
        await self.journal.published(self.relay)
        await self.journal.keep_history()

    def reply(self, connector: str, chat: str, number: int, **said: Any) -> ReplyQueued:
        """Returns a reply whose text is `chat/number`."""
        conversation, stream = named_id(self.scope, f"{connector}/{chat}"), self.card(chat)
        message, text, at = named_id(conversation, str(number)), f"{chat}/{number}", now()
        about = replace(meta(message), workspace=SHOP, stream=stream, occurred_at=at, recorded_at=at)
        where = {"connection_id": self.connection(connector), "connector": connector, "chat": chat, "account": "9"}
        if connector == "resend":
            where = {**where, "account": "", "reply_address": chat, "subject": "Re: Question"}
        reply = ReplyQueued(about, message, conversation, stream, text, **{**where, **said})
        self.queued[text] = reply
        return reply

    def again(self, text: str, attempt: int = 2) -> ReplyResolved:
        """What replyResolve makes of a reply that somebody looked for in vain."""
        own = self.queued[text]
        about = replace(own.meta, id=named_id(own.meta.id, f"again {attempt}"), recorded_at=now())
        return ReplyResolved(about, own.message_id, own.conversation_id, own.contact_id, "again", "anna", attempt)

    @asynccontextmanager
    async def process(self, step: str = "never", instance: str = "1") -> AsyncIterator[Process]:
        """Runs the role in a process of its own, which dies at a step; ends it by kill -9."""
        environment = {
            **os.environ,
            **{variable(name): f"{self.address}/{name}" for name, one in rehearsals().items() if one.take},
            "KAFKA_BOOTSTRAP": self.journal.bootstrap,
            "DATABASE_URL": self.journal.dsn,
            "CRM_SECRETS_KEY": SECRETS_KEY,
            "CRM_INSTANCE": instance,
            "CRM_LOG_LEVEL": "error",
            "CRM_HEALTH_PORT": "0",
        }
        words = (sys.executable, "-m", "tests.support.dying_outbound", self.journal.topic, step)
        running = spawn(words, DEVNULL, environment=environment)
        try:
            yield running
        finally:
            await kill(running)

    async def settled(self, wanted: dict[str, int]) -> None:
        """Waits until so many replies are in each state."""

        async def missing() -> str | None:
            found = await states(self.journal)
            return None if found == wanted else f"{found}, not {wanted}"

        await until(missing, TIMEOUT)

    async def owners(self) -> dict[int, str]:
        """Returns which replica has leased each partition."""
        async with await open_connection(self.journal.dsn) as conn:
            rows = await conn.execute("SELECT partition, owner FROM outbound.lease WHERE until > now()")
            return dict(await rows.fetchall())

    async def reported(self) -> dict[str, Counter[str]]:
        """Returns how often each outcome of each reply was reported, by its text; a fact that is there twice is one."""
        topic = INTAKE["chats"]
        texts = {reply.message_id: text for text, reply in self.queued.items()}
        found: dict[Id, ReplyAttempted] = {}
        async with AIOKafkaConsumer(bootstrap_servers=self.journal.bootstrap, fetch_max_wait_ms=20) as consumer:
            partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    facts = (decode(record.value) for record in records if record.value)
                    found |= {one.meta.id: one for one in facts if isinstance(one, ReplyAttempted)}
        counted: dict[str, Counter[str]] = {}
        for fact in found.values():
            if text := texts.get(fact.message_id):
                counted.setdefault(text, Counter())[f"{fact.outcome} {fact.attempt}"] += 1
        return counted


@asynccontextmanager
async def reply_world(kafka: str, dsn: str, *connectors: str) -> AsyncIterator[ReplyWorld]:
    journal, vendors = IsolatedJournal(kafka, dsn), Senders()
    await journal.create_topics()
    async with served(vendors) as address, journal.relaying() as relay:
        world = ReplyWorld(journal, relay, vendors, address)
        await world.connect(*connectors)
        yield world
