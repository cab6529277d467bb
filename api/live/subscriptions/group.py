"""Tells those who asked the same of the same workspace: one read for all rows that changed and for all who wait."""

import asyncio

import structlog

from api.errors import ApiError, TooSlow, Unauthorized, Unavailable
from api.live.subscriptions.feed import CURSOR
from api.live.subscriptions.hub import Hub
from api.live.subscriptions.selection import Read, Selection
from api.live.subscriptions.subscriber import Subscriber

BATCH = 250  # rows of one read
SHARE = 50  # of one subscriber
RETRY_SECONDS = 0.5
MARK = CURSOR.encode()
log = structlog.get_logger()


class Failed(ApiError):
    """A bug."""

    code = "INTERNAL"


class Group:
    """Runs while somebody waits; a client that has not taken what it was given is passed over until it has."""

    def __init__(self, selection: Selection, workspace: str, hub: Hub) -> None:
        self.selection, self.workspace, self.hub = selection, workspace, hub
        self.projection = selection.feed.projection.name
        self.ready: dict[Subscriber, None] = {}
        self.task: asyncio.Task[None] | None = None

    def wake(self, subscriber: Subscriber) -> None:
        if not subscriber.client.busy:
            self.ready[subscriber] = None
            if self.task is None:
                self.task = asyncio.create_task(self.run())

    def leave(self, subscriber: Subscriber) -> None:
        self.ready.pop(subscriber, None)
        self.hub.remove(subscriber)

    async def run(self) -> None:
        try:
            while self.ready:
                todo = self.next()
                if not todo:
                    continue
                keys = list(dict.fromkeys(key for some in todo.values() for key in some))
                try:
                    read = await self.selection.read(self.workspace, keys)
                except (Unavailable, TooSlow):
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for subscriber, wanted in todo.items():
                    if subscriber in self.ready:
                        self.tell(subscriber, wanted, read)
        except Exception:
            log.exception("changed rows cannot be told", projection=self.projection)
            for subscriber in list(self.ready):
                subscriber.client.fail(Failed("Something went wrong here. It is in the log."))
        finally:
            self.task = None

    def next(self) -> dict[Subscriber, list[str]]:
        """Up to BATCH keys, in turn."""
        todo: dict[Subscriber, list[str]] = {}
        room = BATCH
        for subscriber in list(self.ready):
            if keys := subscriber.next(min(room, SHARE), self.hub.heard[self.projection]):
                todo[subscriber] = keys
                room -= len(keys)
                if not room:
                    break
            else:
                del self.ready[subscriber]
        return todo

    def tell(self, subscriber: Subscriber, keys: list[str], read: Read) -> None:
        client = subscriber.client
        try:
            client.check()
        except Unauthorized as error:
            return client.fail(error)
        for key in keys:
            subscriber.passed(key, read.seen)
            if (body := read.bodies.get(key)) is not None:
                cursor = subscriber.standing.cursor(self.workspace, self.projection)
                client.tell(body.replace(MARK, cursor.encode()), cursor)
        del self.ready[subscriber]
        if subscriber.due:
            self.wake(subscriber)
