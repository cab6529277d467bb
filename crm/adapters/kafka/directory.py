"""Who may send and who may ask: workspaces, connections and tokens, followed in memory from the compacted topic
crm.connections."""

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import structlog
from aiokafka import TopicPartition
from msgspec import Struct

from crm.adapters.kafka.reading import open_consumer
from crm.connector import Connection, Home
from crm.contract.codec import decode
from crm.envelope import now
from crm.errors import Malformed
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.scalars import Id, Micros
from crm.tokens import PREFIX, checksum
from crm.topics import CONNECTIONS

RETRY_SECONDS = 0.5
RANDOM, CHECK = 32, 6  # characters of a token, as crm.tokens makes them
logger = structlog.get_logger()


def mistyped(text: str) -> bool:
    """It has the form of our tokens and not their checksum: nobody has to look it up. Other forms may be older ones."""
    random, check = text[len(PREFIX) : -CHECK], text[-CHECK:]
    ours = text.startswith(PREFIX) and len(random) == RANDOM
    return ours and (not text.isascii() or checksum(random) != check)


@lru_cache(maxsize=1_024)
def digest(text: str) -> str:
    """What a token is known by; empty for one that is mistyped. A busy client sends the same one again and again."""
    return "" if mistyped(text) else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Token(Struct, frozen=True, gc=False):
    """A key to a workspace; the text itself is written nowhere."""

    id: Id
    workspace: Id
    scopes: frozenset[str]
    name: str
    expires_at: Micros | None = None


class Access:
    """The newest declaration of each connection and token. Works on while Kafka is away, with what it knows."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.homes: dict[Id, Home] = {}  # by workspace
        self.of_workspace: dict[Id, set[str]] = defaultdict(set)  # the connections that it ever had
        self.tokens: dict[str, Token] = {}  # by the SHA-256 of their text
        self.hashes: dict[str, str] = {}  # token id -> SHA-256
        self.used: dict[Id, Micros] = {}  # token id -> when it was asked for last
        self.complete = False
        self.task: asyncio.Task[None] | None = None

    async def start(self, bootstrap: str) -> Self:
        """Returns when everything that was there is known; waits for Kafka as long as it takes."""
        known = asyncio.Event()
        self.task = asyncio.create_task(self.follow(bootstrap, known))
        await known.wait()
        return self

    async def stop(self) -> None:
        if self.task:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    def connection(self, id: str) -> Connection | None:
        """None when it is unknown or disabled."""
        found = self.connections.get(id)
        return found if found and found.enabled else None

    def token(self, text: str, at: Micros | None = None) -> Token | None:
        """None when it is unknown, revoked, or expired at that moment (now by default)."""
        moment = now() if at is None else at
        found = self.tokens.get(digest(text))
        if found is None or (found.expires_at is not None and found.expires_at <= moment):
            return None
        self.used[found.id] = moment
        return found

    def home(self, workspace: Id) -> Home:
        """What holds where a fact says nothing: the defaults when the workspace has not been declared."""
        return self.homes.get(workspace, Home())

    def missing(self) -> str | None:
        """A sentence on what is not known yet; None when all is."""
        return None if self.complete else "The connections and tokens have not been read from Kafka yet."

    def take(self, key: bytes, value: bytes | None) -> None:
        """One record of the topic. What cannot be read is logged and leaves what was known before."""
        id = key.decode("utf-8", "replace")
        if value is None:
            self.connections.pop(id, None)
            self.forget_token(id)
            return
        try:
            self.learn(decode(value))
        except Malformed as error:
            logger.error("a declaration cannot be read; the one before it stays", id=id, error=str(error))

    def learn(self, fact: Any) -> None:
        match fact:
            case WorkspaceDeclared():
                home = self.homes[fact.meta.workspace] = Home(fact.country, fact.currency, fact.timezone)
                for id in self.of_workspace[fact.meta.workspace] & self.connections.keys():
                    self.connections[id] = replace(self.connections[id], home=home)
            case ConnectionDeclared():
                self.of_workspace[fact.meta.workspace].add(fact.connection)
                self.connections[fact.connection] = Connection(
                    fact.connection,
                    fact.meta.workspace,
                    fact.connector,
                    fact.secret,
                    fact.settings,
                    fact.name,
                    fact.enabled,
                    self.home(fact.meta.workspace),
                )
            case TokenDeclared():
                self.forget_token(fact.token)
                if fact.enabled:
                    self.hashes[fact.token] = fact.sha256
                    self.tokens[fact.sha256] = Token(
                        fact.token, fact.meta.workspace, frozenset(fact.scopes), fact.name, fact.expires_at
                    )

    def forget_token(self, id: str) -> None:
        self.tokens.pop(self.hashes.pop(id, ""), None)

    async def follow(self, bootstrap: str, known: asyncio.Event) -> None:
        while True:
            try:
                async with open_consumer(
                    bootstrap, CONNECTIONS.name, auto_offset_reset="earliest", fetch_max_wait_ms=500
                ) as consumer:
                    await self.read(consumer, known)
            except Exception as error:
                logger.warning("connections cannot be followed; trying again", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def read(self, consumer: Any, known: asyncio.Event) -> None:
        """From the beginning: aiokafka itself comes back after Kafka has been away."""
        topic = CONNECTIONS.name
        partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            raise LookupError(f"the topic {topic} does not exist yet")
        ends = await consumer.end_offsets(partitions)
        while True:
            if not self.complete and all([await consumer.position(p) >= ends[p] for p in partitions]):
                self.complete = True
                known.set()
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    self.take(record.key or b"", record.value)
