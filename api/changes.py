"""Committed changes as they happen: one LISTEN connection a process, one bounded queue a subscriber.

Postgres forgets what it notifies while nobody listens; the journal does not. So the listener keeps in mind how far the
projections were when it had surely heard of all they did, and once it listens again it takes from the journal which
rows they changed since. A change may be told twice then, with the row as it stands; none is left out.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import structlog
from psycopg import sql

from api.errors import SlowSubscriber
from api.journal import Journal, JournalGap
from api.missed import Reached, missed, reached
from crm.adapters.metrics import SUBSCRIBERS

log = structlog.get_logger()
CHANNEL = "changes"
LISTENER = "potik api changes"  # as Postgres shows the connection
RETRY_SECONDS = 0.2
MARK_SECONDS = 1.0  # how often it is noted how far the projections are
SILENCE = 5.0  # seconds without our own mark after which the connection counts as dead
WAITING = 1_000  # keys that may wait for one subscriber


class Change(msgspec.Struct, frozen=True, gc=False):
    """The payload of a notification: which rows of a projection one transaction changed."""

    projection: str
    workspace: str
    keys: tuple[str, ...]


class Subscriber:
    """Wants the changed keys of one projection in one workspace."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.waiting: dict[str, None] = {}  # each key once, in order
        self.some = asyncio.Event()

    def take(self, keys: tuple[str, ...]) -> None:
        if len(self.waiting) <= WAITING:
            self.waiting |= dict.fromkeys(filter(self.wanted, keys))
        if self.waiting:
            self.some.set()

    async def keys(self) -> AsyncIterator[list[str]]:
        """All that has come, each once and in order. Raises SlowSubscriber when some had to be dropped."""
        while True:
            await self.some.wait()
            if len(self.waiting) > WAITING:
                raise SlowSubscriber(
                    f"More than {WAITING} changes were waiting and some were dropped. Read again, then subscribe again."
                )
            self.some.clear()
            waiting, self.waiting = self.waiting, {}
            yield list(waiting)


class Changes:
    """Hands each change to the subscribers of its workspace."""

    def __init__(self, dsn: str, journal: Journal | None = None) -> None:
        self.dsn = dsn
        self.journal = journal or Journal("")
        self.subscribers: dict[tuple[str, str], set[Subscriber]] = {}
        self.listening = asyncio.Event()
        self.heard: Reached | None = None  # what the projections did up to here was told, or is owed
        self.owed: Reached | None = None  # from here on it is being caught up on
        self.catching_up: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, projection: str, workspace: str, wanted: Callable[[str], bool]) -> Any:
        subscriber = Subscriber(wanted)
        key = projection, workspace
        self.subscribers.setdefault(key, set()).add(subscriber)
        SUBSCRIBERS.labels(projection).inc()
        try:
            yield subscriber
        finally:
            SUBSCRIBERS.labels(projection).dec()
            self.subscribers[key].discard(subscriber)
            if not self.subscribers[key]:
                del self.subscribers[key]

    def take(self, payload: str) -> None:
        try:
            change = msgspec.json.decode(payload, type=Change)
        except msgspec.DecodeError as error:
            log.error("a notification cannot be read; it is dropped", error=str(error))
            return
        self.tell(change)

    def tell(self, change: Change) -> None:
        for subscriber in self.subscribers.get((change.projection, change.workspace), ()):
            subscriber.take(change.keys)

    async def run(self) -> None:
        """Until cancelled; listens again as soon as Postgres is back."""
        try:
            while True:
                try:
                    await self.listen()
                except (psycopg.Error, OSError) as error:
                    log.warning("not listening to Postgres; trying again", error=type(error).__name__)
                self.listening.clear()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            if self.catching_up:
                self.catching_up.cancel()

    async def listen(self) -> None:
        """Our own mark comes back behind all that was committed before it: Postgres keeps the order of commits."""
        mark = f"mark_{uuid4().hex}"
        connection = await psycopg.AsyncConnection.connect(
            self.dsn,
            autocommit=True,
            connect_timeout=5,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            application_name=LISTENER,
        )
        async with connection:
            for channel in (CHANNEL, mark):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.catch_up(await reached(connection))
            self.listening.set()
            marked: Reached | None = None
            while True:
                if marked is None:
                    async with asyncio.timeout(SILENCE):
                        marked, sent = await reached(connection), time.monotonic()
                        await connection.execute("SELECT pg_notify(%s, '')", [mark])
                async for notification in connection.notifies(timeout=MARK_SECONDS):
                    if notification.channel == CHANNEL:
                        self.take(notification.payload)
                    elif marked:
                        self.heard, marked = marked, None
                if marked and time.monotonic() - sent > SILENCE:
                    raise TimeoutError("Postgres took the mark and did not give it back")

    def catch_up(self, now: Reached) -> None:
        """In the background: Kafka may be away too. What is still owed from the time before is asked for again."""
        if self.catching_up:
            self.catching_up.cancel()
        self.heard = self.heard or now
        self.owed = self.owed or self.heard
        self.catching_up = asyncio.create_task(self.tell_missed(self.owed, now))

    async def tell_missed(self, since: Reached, until: Reached) -> None:
        try:
            async for projection, workspace, keys in missed(self.journal, since, until, self.subscribers):
                self.tell(Change(projection, workspace, keys))
            self.owed = None
        except JournalGap as error:
            log.error("what was changed while nobody listened cannot be told", error=error.message)
