"""One open operation of a connection: it takes results from where they come and puts them into the outbox."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from graphql import GraphQLError

from api.context import Context
from api.errors import told
from api.http.numbers import ENCODER
from api.live.subscriptions.group import Group
from api.live.subscriptions.operation import Opened, Refused, Results
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.subscriber import Subscriber
from crm.adapters.telemetry.metrics import TOLD


class Connection(Protocol):
    """A websocket or an event stream."""

    context: Context
    outbox: Outbox
    running: "dict[str, Running]"

    def result(self, id: str, body: bytes, cursor: str | None) -> None: ...
    def error(self, id: str, errors: bytes) -> None: ...
    def complete(self, id: str) -> None: ...


class Running:
    """The client of a subscriber, or a task that goes through the results."""

    __slots__ = ("connection", "following", "id", "over", "room", "task")

    def __init__(self, connection: Connection, id: str) -> None:
        self.connection, self.id = connection, id
        self.following: tuple[Group, Subscriber] | None = None
        self.task: asyncio.Task[None] | None = None
        self.room: asyncio.Event | None = None
        self.over = False

    def begin(self, open: Opened) -> None:
        self.following = open.following
        if open.results:
            self.room = asyncio.Event()
            self.task = asyncio.create_task(self.run(open.results))
        if self.over:
            self.close()
        else:
            self.go_on()

    async def run(self, results: Results) -> None:
        assert self.room is not None
        try:
            async with aclosing(results):
                async for body, cursor in results:
                    while self.busy:
                        self.room.clear()
                        await self.room.wait()
                    self.connection.result(self.id, body, cursor)
            self.connection.complete(self.id)
        except Refused as refused:
            self.connection.error(self.id, ENCODER.encode(refused.errors))
        finally:
            self.connection.running.pop(self.id, None)

    @property
    def busy(self) -> bool:
        return self.connection.outbox.busy

    def check(self) -> None:
        self.connection.context.workspace()

    def tell(self, body: bytes, cursor: str) -> None:
        TOLD.inc()
        self.connection.result(self.id, body, cursor)

    def fail(self, error: GraphQLError) -> None:
        self.refuse(error)
        self.close()

    def refuse(self, error: GraphQLError | Refused) -> None:
        """Nothing more comes after it."""
        self.over = True
        errors = error.errors if isinstance(error, Refused) else [told(error).formatted]
        self.connection.running.pop(self.id, None)
        self.connection.error(self.id, ENCODER.encode(errors))

    def go_on(self) -> None:
        """The client has taken what it was given."""
        if self.room:
            self.room.set()
        if self.following and self.following[1].due:
            self.following[0].wake(self.following[1])

    def quiet(self) -> str | None:
        """The cursor of now when nothing is on its way to the client, so that it does not grow old."""
        if self.following is None or self.connection.outbox.waiting:
            return None
        group, subscriber = self.following
        return subscriber.quiet(group.hub.heard[group.projection])

    def close(self) -> None:
        self.over = True
        self.connection.running.pop(self.id, None)
        if self.task:
            self.task.cancel()
        if self.following:
            group, subscriber = self.following
            group.leave(subscriber)
