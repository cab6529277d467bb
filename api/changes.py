"""Committed changes as they happen: one LISTEN connection a process, one bounded queue a subscriber."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import structlog
from prometheus_client import Gauge
from psycopg import sql

from api.errors import SlowSubscriber

log = structlog.get_logger()
CHANNEL = "changes"
RETRY_SECONDS = 0.2
WAITING = 1_000  # keys that may wait for one subscriber
SUBSCRIBERS = Gauge("crm_api_subscribers", "Open subscriptions, by projection.", ["projection"])


class Change(msgspec.Struct, frozen=True, gc=False):
    """The payload of a notification: which rows of a projection one transaction changed."""

    projection: str
    workspace: str
    keys: tuple[str, ...]


class Subscriber:
    """Wants the changed keys of one projection in one workspace."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self.late = False

    def take(self, keys: tuple[str, ...]) -> None:
        for key in filter(self.wanted, keys):
            try:
                self.queue.put_nowait(key)
            except asyncio.QueueFull:
                self.late = True

    async def keys(self) -> AsyncIterator[list[str]]:
        """All that has come, each once and in order. Raises SlowSubscriber when some had to be dropped."""
        while True:
            waiting = {await self.queue.get(): None}
            while not self.queue.empty():
                waiting[self.queue.get_nowait()] = None
            if self.late:
                raise SlowSubscriber(
                    f"More than {WAITING} changes were waiting and some were dropped. Read again, then subscribe again."
                )
            yield list(waiting)


class Changes:
    """Hands each change to the subscribers of its workspace."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.subscribers: dict[tuple[str, str], set[Subscriber]] = {}
        self.listening = asyncio.Event()

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
        for subscriber in self.subscribers.get((change.projection, change.workspace), ()):
            subscriber.take(change.keys)

    async def run(self) -> None:
        """Until cancelled; listens again as soon as Postgres is back."""
        while True:
            try:
                await self.listen()
            except (psycopg.Error, OSError) as error:
                log.warning("not listening to Postgres; trying again", error=type(error).__name__)
            self.listening.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, connect_timeout=5, keepalives_idle=5, keepalives_interval=2, keepalives_count=3
        )
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            self.listening.set()
            async for notification in connection.notifies():
                self.take(notification.payload)
