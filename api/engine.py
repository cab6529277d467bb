"""Answers operations: reads by one SQL statement whose text goes out as it is, all else through strawberry."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    execute,
    get_operation_ast,
)

from api.access import Curious, Token, anyone
from api.context import Context
from api.errors import ApiError, Invalid, StaleRead, TooSlow, Unavailable, note, told
from api.http.numbers import ENCODER
from api.limits import documents
from api.limits.cost import LIMIT, Price, too_dear
from api.live.freshness import Freshness
from api.schema.root import schema
from api.sql.database import text
from api.sql.plan.plan import Plan
from api.sql.plan.statement import Unfit
from api.trusted import NOTHING, ONLY, Trusted, Untrusted

PLANS = 1_000  # kept, of documents that are not longer than LONGEST
LONGEST = 20_000  # characters
EVERY: frozenset[str] = frozenset()  # projection
FAST = b'{"data":%s,"extensions":{"cost":{"requested":%d,"limit":%d},"freshness":%s}}'
log = structlog.get_logger()


class Answer(NamedTuple):
    """`body` is the JSON of the response. `ok`: it holds data, though perhaps null, beside errors."""

    body: bytes
    ok: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Engine:
    """Plans are kept by document, operation and role, the least recently used is forgotten."""

    def __init__(
        self,
        freshness: Freshness | None = None,
        served: GraphQLSchema = schema._schema,
        curious: Curious = anyone,
        trusted: Trusted = NOTHING,
    ) -> None:
        self.freshness, self.schema = freshness or Freshness(), served
        self.curious, self.trusted = curious, trusted
        self.plans: OrderedDict[tuple[str, str | None, frozenset[str]], Plan] = OrderedDict()

    def prepare(self, document: str, operation: str | None, token: Token) -> Plan:
        """Never raises: a document that is not to be run gives a plan with `errors`."""
        if not self.trusted.allows(document):
            return Plan(self.schema, None, None, errors=(Untrusted(ONLY),))
        key = document, operation, frozenset(token.scopes)
        if found := self.plans.get(key):
            self.plans.move_to_end(key)
            return found
        plan = self.planned(document, operation, self.curious(token))
        if len(document) <= LONGEST:
            self.plans[key] = plan
            if len(self.plans) > PLANS:
                self.plans.popitem(last=False)
        return plan

    def planned(self, document: str, operation: str | None, curious: bool) -> Plan:
        try:
            parsed = documents.parsed(document)
        except Invalid as invalid:
            return Plan(self.schema, None, None, errors=tuple(invalid.errors))
        errors = documents.problems(self.schema, parsed, curious) or documents.unnamed(parsed, operation)
        found = get_operation_ast(parsed, operation)
        if errors or not found:
            return Plan(self.schema, None, None, errors=tuple(errors))
        return Plan(self.schema, parsed, found, Price(found, parsed), curious)

    async def answer(self, plan: Plan, variables: dict[str, Any] | None, context: Context) -> Answer:
        """Queries and mutations."""
        if plan.errors:
            return refused(plan.errors)
        if (cost := plan.cost(variables or {})) > LIMIT:
            return refused([too_dear(cost)])
        if plan.kind is OperationType.QUERY and (found := await self.fast(plan, variables or {}, context)):
            return found
        return await self.slow(plan, variables or {}, context)

    async def fast(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer | None:
        """None when the slow path has to answer, or to say what is wrong."""
        variables = plan.variables(given)
        statement = plan.statement(variables) if variables else None
        if not variables or not statement:
            return None
        try:
            parameters = statement.parameters(context.workspace(), variables)
            if context.min_position:
                await self.freshness.wait(context.min_position, statement.projections)
            fresh = self.freshness.told(statement.projections)
            data = await text(context.pool, statement.text, parameters)
        except (Unavailable, TooSlow, StaleRead) as error:
            return Answer(ENCODER.encode({"data": None, "errors": [told(error).formatted]}))
        except (Unfit, GraphQLError):
            return None
        except psycopg.Error:
            log.exception("a statement of the fast path failed; the slow path answers", operation=plan.name)
            return None
        return Answer(FAST % (data, plan.cost(given), LIMIT, fresh))

    async def slow(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer:
        assert plan.document and plan.operation
        context.begin()
        try:
            if context.min_position and plan.kind is OperationType.QUERY:
                await self.freshness.wait(context.min_position, EVERY)
        except ApiError as error:
            return Answer(ENCODER.encode({"data": None, "errors": [told(error).formatted]}))
        fresh = msgspec.Raw(self.freshness.told(EVERY))
        name = plan.operation.name.value if plan.operation.name else None
        running = execute(
            self.schema,
            plan.document,
            context_value=context,
            variable_values=given,
            operation_name=name,
            hide_suggestions=not plan.curious,
        )
        result = running if isinstance(running, ExecutionResult) else await running
        note(result.errors or [], plan.name)
        whole: dict[str, Any] = {}
        if result.data is not None or any(error.path for error in result.errors or ()):
            whole["data"] = result.data
        if result.errors:
            whole["errors"] = [told(error).formatted for error in result.errors]
        whole["extensions"] = {"cost": {"requested": plan.cost(given), "limit": LIMIT}, "freshness": fresh}
        return Answer(ENCODER.encode(whole), "data" in whole)


def refused(errors: Sequence[GraphQLError]) -> Answer:
    """A request error: nothing was run."""
    return Answer(ENCODER.encode({"errors": [told(error).formatted for error in errors]}), ok=False)
