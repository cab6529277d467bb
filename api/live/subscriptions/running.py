"""One open operation of a connection: moves its results into the outbox."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from graphql import GraphQLError

from api.context import Context
from api.errors import client_error
from api.http.numbers import ENCODER
from api.live.subscriptions.cohort import Cohort
from api.live.subscriptions.operation import Opened, OperationRefused, Results
from api.live.subscriptions.outbox import Outbox
from api.live.subscriptions.subscriber import Subscriber
from crm.adapters.telemetry.metrics import SUBSCRIPTION_MESSAGES


class Transport(Protocol):
    """A websocket or an event stream."""

    context: Context
    outbox: Outbox
    running: "dict[str, RunningOperation]"

    def result(self, id: str, body: bytes, cursor: str | None) -> None: ...
    def error(self, id: str, errors: bytes) -> None: ...
    def complete(self, id: str) -> None: ...


class RunningOperation:
    """Serves as the client of a subscriber, or runs a task that iterates over results."""

    __slots__ = ("connection", "drained", "ended", "id", "subscription", "task")

    def __init__(self, connection: Transport, id: str) -> None:
        self.connection, self.id = connection, id
        self.subscription: tuple[Cohort, Subscriber] | None = None
        self.task: asyncio.Task[None] | None = None
        self.drained: asyncio.Event | None = None
        self.ended = False

    def begin(self, open: Opened) -> None:
        self.subscription = open.subscription
        if open.results:
            self.drained = asyncio.Event()
            self.task = asyncio.create_task(self.run(open.results))
        if self.ended:
            self.close()
        else:
            self.resume()

    async def run(self, results: Results) -> None:
        assert self.drained is not None
        try:
            async with aclosing(results):
                async for body, cursor in results:
                    while self.busy:
                        self.drained.clear()
                        await self.drained.wait()
                    self.connection.result(self.id, body, cursor)
            self.connection.complete(self.id)
        except OperationRefused as refused:
            self.connection.error(self.id, ENCODER.encode(refused.errors))
        finally:
            self.connection.running.pop(self.id, None)

    @property
    def busy(self) -> bool:
        return self.connection.outbox.busy

    def check_token(self) -> None:
        self.connection.context.workspace()

    def send_result(self, body: bytes, cursor: str) -> None:
        SUBSCRIPTION_MESSAGES.inc()
        self.connection.result(self.id, body, cursor)

    def fail(self, error: GraphQLError) -> None:
        self.refuse(error)
        self.close()

    def refuse(self, error: GraphQLError | OperationRefused) -> None:
        """Sends errors as the last message of the operation."""
        self.ended = True
        errors = error.errors if isinstance(error, OperationRefused) else [client_error(error).formatted]
        self.connection.running.pop(self.id, None)
        self.connection.error(self.id, ENCODER.encode(errors))

    def resume(self) -> None:
        """Goes on once the client has taken earlier messages."""
        if self.drained:
            self.drained.set()
        if self.subscription and self.subscription[1].due:
            self.subscription[0].wake(self.subscription[1])

    def idle_cursor(self) -> str | None:
        """Returns the current cursor when no message is waiting, so that an idle client's cursor stays fresh."""
        if self.subscription is None or self.connection.outbox.waiting:
            return None
        cohort, subscriber = self.subscription
        return subscriber.idle_cursor(cohort.hub.dispatched[cohort.projection])

    def close(self) -> None:
        self.ended = True
        self.connection.running.pop(self.id, None)
        if self.task:
            self.task.cancel()
        if self.subscription:
            cohort, subscriber = self.subscription
            cohort.leave(subscriber)
