"""One operation that a client sends over a websocket or asks for as an event stream, from its text to its results."""

from collections.abc import AsyncGenerator, AsyncIterable, Hashable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from api.access import require
from api.context import Context
from api.engine import Engine
from api.errors import ApiError, told, unexpected
from api.http.asked import Asked
from api.http.endpoint import WRONG
from api.http.refusal import Refusal
from api.limits.cost import LIMIT, too_dear
from api.limits.rates import Rates
from api.live.subscriptions.cohort import alike
from api.live.subscriptions.compiled import compiled
from api.live.subscriptions.feeds import Following
from api.live.subscriptions.group import Group
from api.live.subscriptions.hub import Hub
from api.live.subscriptions.selection import Selection, written
from api.live.subscriptions.subscriber import Client, Subscriber
from api.sql.plan.plan import Plan

log = structlog.get_logger()
Results = AsyncGenerator[tuple[bytes, str | None]]  # JSON of each, and the cursor where there is one


class Refused(Exception):
    """The operation does not begin, or ends: with these errors as the client sees them."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = [told(error).formatted for error in errors]
        for error in errors:
            if cause := unexpected(error):
                log.error("an operation failed", path=error.path, exc_info=cause)


class Opened(NamedTuple):
    """Either results that are to be asked for, or a subscriber that is told when something happens."""

    results: Results | None = None
    following: tuple[Group, Subscriber] | None = None


class Operations:
    """Of one process: operations are opened here, and subscriptions that are alike share a group."""

    def __init__(self, engine: Engine, hub: Hub, rates: Rates) -> None:
        self.engine, self.hub, self.rates = engine, hub, rates
        self.groups: WeakValueDictionary[tuple[Any, ...], Group] = WeakValueDictionary()

    async def open(self, asked: Asked, context: Context, client: Client, resume: str | None = None) -> Opened:
        """`resume`: the cursor to use instead of the argument `after`. Raises Refused."""
        context = replace(context)  # one operation's loaders and budget are its own
        try:
            text = self.engine.trusted.text(asked.query, asked.document_id, asked.extensions)
        except ApiError as error:
            raise Refused([error]) from None
        plan = self.admit(text, asked, context)
        if plan.kind is not OperationType.SUBSCRIPTION:
            return Opened(results=self.once(plan, asked, context))
        assert plan.document
        executor = Executor.build(
            plan.schema,
            plan.document,
            root_value=resume,
            context_value=context,
            raw_variable_values=asked.variables or {},
            operation_name=plan.name,
            hide_suggestions=not plan.curious,
        )
        if isinstance(executor, list):
            raise Refused(executor)
        stream: Any = create_source_event_stream(executor)
        if executor.is_awaitable(stream):
            stream = await stream
        if isinstance(stream, Following):
            return Opened(following=self.follow(stream, executor, plan, alike(text, asked), context, client))
        if isinstance(stream, ExecutionResult):
            raise Refused(stream.errors or [])
        return Opened(results=self.each(executor, stream))

    def admit(self, text: str, asked: Asked, context: Context) -> Plan:
        """The limits of a request over HTTP hold here too. Raises Refused."""
        try:
            token = context.token
            self.rates.ask(token.id)
            plan = self.engine.prepare(text, asked.operation_name, token)
            cost = plan.cost(asked.variables or {})
            if wrong := list(plan.errors) or ([too_dear(cost)] if cost > LIMIT else []):
                self.rates.charge(token.id, WRONG)
                raise Refused(wrong)
            require(token, *(("write", "connect") if plan.kind is OperationType.MUTATION else ("read",)))
            self.rates.take(token.id, cost)
            return plan
        except Refusal as refusal:
            raise Refused([GraphQLError(refusal.message, extensions={"code": refusal.code})]) from None
        except ApiError as error:
            raise Refused([error]) from None

    def follow(
        self,
        following: Following,
        executor: Executor[Context],
        plan: Plan,
        alike: Hashable,
        context: Context,
        client: Client,
    ) -> tuple[Group, Subscriber]:
        workspace = context.workspace()
        key = workspace, context.authorization, alike
        group = self.groups.get(key)
        if group is None:
            fast = compiled(plan, executor.variable_values, following.feed, workspace)
            selection = Selection(following.feed, executor, context, fast)
            group = self.groups[key] = Group(selection, workspace, self.hub)
        subscriber = Subscriber(following.feed, workspace, following.key, client, group.wake)
        try:
            self.hub.add(subscriber, following.after)
        except ApiError as error:
            raise Refused([error]) from None
        return group, subscriber

    async def once(self, plan: Plan, asked: Asked, context: Context) -> Results:
        yield (await self.engine.answer(plan, asked.variables, context)).body, None

    async def each(self, executor: Executor[Context], stream: AsyncIterable[Any]) -> Results:
        try:
            async with aclosing(stream) as values:  # type: ignore[type-var]  # a field's body is an async generator
                async for value in values:
                    result = execute_subscription_event(executor.build_per_event_executor(value))
                    cursor = value.get("cursor") if isinstance(value, Mapping) else None
                    yield written(result if isinstance(result, ExecutionResult) else await result), cursor
        except GraphQLError as error:
            raise Refused([error]) from None
        except Exception as error:
            raise Refused([GraphQLError(str(error), original_error=error)]) from error
