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

from api.access import Token
from api.context import Context
from api.database import text
from api.errors import ApiError, Invalid, TooSlow, Unavailable, note, told
from api.limits import documents
from api.limits.cost import cost
from api.plan.plan import Plan
from api.plan.statement import Unfit
from api.schema import schema

PLANS = 1_000  # kept, of documents that are not longer than LONGEST
LONGEST = 20_000  # characters
# The encoder writes numbers of custom fields exactly as they are stored.
ENCODER = msgspec.json.Encoder(decimal_format="number")
log = structlog.get_logger()


class Answer(NamedTuple):
    """`body` is the JSON of the response. `ok`: it holds data, though perhaps null, beside errors."""

    body: bytes
    ok: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Engine:
    """Plans are kept by document, operation and role, the least recently used is forgotten."""

    def __init__(self, served: GraphQLSchema = schema._schema) -> None:
        self.schema = served
        self.plans: OrderedDict[tuple[str, str | None, frozenset[str]], Plan] = OrderedDict()

    def prepare(self, document: str, operation: str | None, token: Token) -> Plan:
        """Never raises: a document that is not to be run gives a plan with `errors`."""
        key = document, operation, frozenset(token.scopes)
        if found := self.plans.get(key):
            self.plans.move_to_end(key)
            return found
        plan = self.planned(document, operation)
        if len(document) <= LONGEST:
            self.plans[key] = plan
            if len(self.plans) > PLANS:
                self.plans.popitem(last=False)
        return plan

    def planned(self, document: str, operation: str | None) -> Plan:
        try:
            parsed = documents.parsed(document)
        except Invalid as invalid:
            return Plan(self.schema, None, None, errors=tuple(invalid.errors))
        errors = documents.problems(self.schema, parsed, suggest=True)
        found = get_operation_ast(parsed, operation)
        if not errors and not found:
            errors = [GraphQLError("Which operation? Give the name of one of them in `operationName`.")]
        if errors or not found:
            return Plan(self.schema, None, None, errors=tuple(errors))
        return Plan(self.schema, parsed, found, cost(found, parsed))

    async def answer(self, plan: Plan, variables: dict[str, Any] | None, context: Context) -> Answer:
        """Queries and mutations."""
        if plan.errors:
            return refused(plan.errors)
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
            data = await text(context.pool, statement.text, parameters)
        except (Unavailable, TooSlow) as error:
            return Answer(ENCODER.encode({"data": None, "errors": [told(error).formatted]}))
        except (Unfit, ApiError):
            return None
        except psycopg.Error:
            log.exception("a statement of the fast path failed; the slow path answers", operation=plan.name)
            return None
        return Answer(b'{"data":%s,"extensions":{"cost":{"requested":%d}}}' % (data, plan.cost))

    async def slow(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer:
        assert plan.document and plan.operation
        context.begin()
        name = plan.operation.name.value if plan.operation.name else None
        running = execute(self.schema, plan.document, context_value=context, variable_values=given, operation_name=name)
        result = running if isinstance(running, ExecutionResult) else await running
        note(result.errors or [], plan.name)
        whole: dict[str, Any] = {}
        if result.data is not None or any(error.path for error in result.errors or ()):
            whole["data"] = result.data
        if result.errors:
            whole["errors"] = [told(error).formatted for error in result.errors]
        whole["extensions"] = {"cost": {"requested": plan.cost}}
        return Answer(ENCODER.encode(whole), "data" in whole)


def refused(errors: Sequence[GraphQLError]) -> Answer:
    """A request error: nothing was run."""
    return Answer(ENCODER.encode({"errors": [told(error).formatted for error in errors]}), ok=False)
