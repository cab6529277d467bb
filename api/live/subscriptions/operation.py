"""Opens operations sent over a websocket or as an event stream, from their text to their results."""

from collections.abc import AsyncGenerator, AsyncIterable, Hashable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from api.access import TO_CHANGE, require
from api.context import Context
from api.engine import Engine
from api.errors import ApiError, client_error, unexpected
from api.http.endpoint import INVALID_COST
from api.http.refusal import Refusal
from api.http.request import GraphQLRequest
from api.limits.cost import LIMIT, too_expensive
from api.limits.rates import Rates
from api.live.subscriptions.cohort import Cohort, cohort_key
from api.live.subscriptions.compiled import compile_statement
from api.live.subscriptions.feeds import RowSubscription
from api.live.subscriptions.hub import Hub
from api.live.subscriptions.row_results import RowResults, response_body
from api.live.subscriptions.subscriber import Client, Subscriber
from api.sql.plan.plan import Plan
from crm import indexes

log = structlog.get_logger()
Results = AsyncGenerator[tuple[bytes, str | None]]  # JSON of each, and the cursor where there is one


class OperationRefused(Exception):
    """The operation is refused or fails, with these errors as the client sees them."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = [client_error(error).formatted for error in errors]
        for error in errors:
            if cause := unexpected(error):
                log.error("an operation failed", path=error.path, exc_info=cause)


class Opened(NamedTuple):
    """An open operation: either results to iterate over, or a subscriber to which changes are pushed."""

    results: Results | None = None
    subscription: tuple[Cohort, Subscriber] | None = None


class Operations:
    """Opens the operations of one process. Subscriptions with the same query share a cohort."""

    def __init__(self, engine: Engine, hub: Hub, rates: Rates) -> None:
        self.engine, self.hub, self.rates = engine, hub, rates
        self.cohorts: WeakValueDictionary[tuple[Any, ...], Cohort] = WeakValueDictionary()

    async def open(
        self, request: GraphQLRequest, context: Context, client: Client, resume: str | None = None
    ) -> Opened:
        """Opens an operation; `resume` is a cursor used instead of the argument `after`. Raises OperationRefused."""
        context = replace(context)  # each operation has its own loaders and budget
        try:
            text = self.engine.trusted.text(request.query, request.document_id, request.extensions)
        except ApiError as error:
            raise OperationRefused([error]) from None
        plan = self.admit(text, request, context)
        if plan.kind is not OperationType.SUBSCRIPTION:
            return Opened(results=self.once(plan, request, context))
        assert plan.document
        executor = Executor.build(
            plan.schema,
            plan.document,
            root_value=resume,
            context_value=context,
            raw_variable_values=request.variables or {},
            operation_name=plan.name,
            hide_suggestions=not plan.may_introspect,
        )
        if isinstance(executor, list):
            raise OperationRefused(executor)
        stream: Any = create_source_event_stream(executor)
        if executor.is_awaitable(stream):
            stream = await stream
        if isinstance(stream, RowSubscription):
            return Opened(subscription=self.follow(stream, executor, plan, cohort_key(text, request), context, client))
        if isinstance(stream, ExecutionResult):
            raise OperationRefused(stream.errors or [])
        return Opened(results=self.each(executor, stream))

    def admit(self, text: str, request: GraphQLRequest, context: Context) -> Plan:
        """Applies the same limits as to a request over HTTP. Raises OperationRefused."""
        try:
            token = context.token
            self.rates.check(token.id)
            plan = self.engine.prepare(text, request.operation_name, token)
            cost = plan.cost(request.variables or {})
            if wrong := list(plan.errors) or ([too_expensive(cost)] if cost > LIMIT else []):
                self.rates.charge(token.id, INVALID_COST)
                raise OperationRefused(wrong)
            require(token, *(TO_CHANGE if plan.kind is OperationType.MUTATION else ("read",)))
            self.rates.take(token.id, cost)
            return plan
        except Refusal as refusal:
            raise OperationRefused([GraphQLError(refusal.message, extensions={"code": refusal.code})]) from None
        except ApiError as error:
            raise OperationRefused([error]) from None

    def follow(
        self,
        subscription: RowSubscription,
        executor: Executor[Context],
        plan: Plan,
        cohort_key: Hashable,
        context: Context,
        client: Client,
    ) -> tuple[Cohort, Subscriber]:
        workspace = context.workspace()
        projection = subscription.feed.projection
        columns = indexes.followed(projection) if subscription.filter else ()
        key = workspace, context.authorization, cohort_key, columns
        cohort = self.cohorts.get(key)
        if cohort is None:
            fast = compile_statement(plan, executor.variable_values, subscription.feed, workspace, columns)
            selection = RowResults(subscription.feed, executor, context, fast, columns)
            cohort = self.cohorts[key] = Cohort(selection, workspace, self.hub)
        subscriber = Subscriber(
            subscription.feed, workspace, subscription.key, client, cohort.wake, subscription.filter
        )
        try:
            self.hub.add(subscriber, subscription.after)
        except ApiError as error:
            raise OperationRefused([error]) from None
        return cohort, subscriber

    async def once(self, plan: Plan, request: GraphQLRequest, context: Context) -> Results:
        yield (await self.engine.answer(plan, request.variables, context)).body, None

    async def each(self, executor: Executor[Context], stream: AsyncIterable[Any]) -> Results:
        try:
            async with aclosing(stream) as values:  # type: ignore[type-var]  # a field's body is an async generator
                async for value in values:
                    result = execute_subscription_event(executor.build_per_event_executor(value))
                    cursor = value.get("cursor") if isinstance(value, Mapping) else None
                    yield response_body(result if isinstance(result, ExecutionResult) else await result), cursor
        except GraphQLError as error:
            raise OperationRefused([error]) from None
        except Exception as error:
            raise OperationRefused([GraphQLError(str(error), original_error=error)]) from error
