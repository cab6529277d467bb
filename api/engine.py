"""Executes operations: reads as one SQL statement whose JSON is sent as it is, everything else through strawberry."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType, execute, get_operation_ast

from api.access import ANYONE, MayIntrospect, Token
from api.completion import plain_data, plain_fields
from api.context import Context
from api.errors import ApiError, Invalid, StaleRead, TooSlow, Unavailable, client_error, log_bugs
from api.http.numbers import ENCODER
from api.limits import documents
from api.limits.cost import LIMIT, OperationCost, too_expensive
from api.limits.served import with_served
from api.live.freshness import Freshness
from api.schema.root import schema
from api.sql.database import text
from api.sql.plan.plan import Plan
from api.sql.plan.selection import Selection
from api.sql.plan.statement import NotPlannable
from api.sql.reads import learn_country
from api.trusted import NO_DOCUMENTS, ONLY, TrustedDocuments, Untrusted

PLANS = 1_000  # cached, for documents of up to LONGEST characters
LONGEST = 20_000  # characters
ALL_PROJECTIONS: frozenset[str] = frozenset()  # projection
RESPONSE = b'{"data":%s,"extensions":{"cost":{"requested":%d,"limit":%d},"freshness":%s}}'
log = structlog.get_logger()


class Answer(NamedTuple):
    """A response. `body` is its JSON; `ok` says that it has `data`, which may be null next to errors."""

    body: bytes
    ok: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Engine:
    """Keeps a least-recently-used cache of plans by document, operation name and scopes."""

    def __init__(
        self,
        freshness: Freshness | None = None,
        may_introspect: MayIntrospect = ANYONE,
        trusted: TrustedDocuments = NO_DOCUMENTS,
    ) -> None:
        self.freshness, self.schema = freshness or Freshness(), schema._schema
        self.may_introspect, self.trusted = may_introspect, trusted
        self.plans: OrderedDict[tuple[str, str | None, frozenset[str]], Plan] = OrderedDict()

    def prepare(self, document: str, operation: str | None, token: Token) -> Plan:
        """Returns the plan of a document. Never raises: a document that must not run gives a plan with `errors`."""
        if not self.trusted.allows(document):
            return Plan(self.schema, None, None, errors=(Untrusted(ONLY),))
        key = document, operation, frozenset(token.scopes)
        if found := self.plans.get(key):
            self.plans.move_to_end(key)
            return found
        plan = self.make_plan(document, operation, self.may_introspect(token))
        if len(document) <= LONGEST:
            self.plans[key] = plan
            if len(self.plans) > PLANS:
                self.plans.popitem(last=False)
        return plan

    def make_plan(self, document: str, operation: str | None, may_introspect: bool) -> Plan:
        try:
            parsed = documents.parse_document(document)
        except Invalid as invalid:
            return Plan(self.schema, None, None, errors=tuple(invalid.errors))
        errors = documents.problems(self.schema, parsed, may_introspect)
        errors = errors or documents.operation_errors(parsed, operation)
        found = get_operation_ast(parsed, operation)
        if errors or not found:
            return Plan(self.schema, None, None, errors=tuple(errors))
        return Plan(self.schema, parsed, found, OperationCost(found, parsed), may_introspect)

    async def answer(self, plan: Plan, variables: dict[str, Any] | None, context: Context) -> Answer:
        """Executes a query or mutation."""
        if plan.errors:
            return refused(plan.errors)
        if (cost := plan.cost(variables or {})) > LIMIT:
            return refused([too_expensive(cost)])
        if plan.kind is OperationType.QUERY and (found := await self.run_statement(plan, variables or {}, context)):
            return found
        if plan.kind is OperationType.QUERY and (found := await self.run_plain(plan, variables or {}, context)):
            return found
        return await self.run_resolvers(plan, variables or {}, context)

    async def run_statement(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer | None:
        """Answers with one SQL statement. Returns None when the resolvers must answer or report the error."""
        variables = plan.variables(given)
        statement = plan.statement(variables) if variables else None
        if not variables or not statement:
            return None
        try:
            learn_country(context.access, workspace := context.workspace())
            parameters = statement.parameters(workspace, variables)
            if context.min_position:
                await self.freshness.wait(context.min_position, statement.projections)
            fresh = self.freshness.json(statement.projections)
            data = await text(context.pool, statement.text, parameters)
        except (Unavailable, TooSlow, StaleRead) as error:
            return Answer(ENCODER.encode({"data": None, "errors": [client_error(error).formatted]}))
        except (NotPlannable, GraphQLError, psycopg.errors.UndefinedTable):  # a table that is being built
            return None
        except psycopg.Error:
            log.exception("the SQL statement of a query failed; its resolvers answer", operation=plan.name)
            return None
        return Answer(RESPONSE % (data, plan.cost(given), LIMIT, fresh))

    async def run_plain(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer | None:
        """Answers a query for plain values. Returns None when the executor must answer or report the error."""
        variables, query = plan.variables(given), self.schema.query_type
        if not variables or not query or not plan.operation:
            return None
        selection = Selection(self.schema, plan.fragments, variables)
        fields = selection.fields(query, [plan.operation.selection_set])
        if not plain_fields(query, fields):
            return None
        context.reset()
        try:
            if context.min_position:
                await self.freshness.wait(context.min_position, ALL_PROJECTIONS)
            fresh = self.freshness.json(ALL_PROJECTIONS)
            data = await plain_data(selection, query, fields, context)
        except (Unavailable, TooSlow, StaleRead) as error:  # a second try would take as long again
            return Answer(ENCODER.encode({"data": None, "errors": [client_error(error).formatted]}))
        except GraphQLError:
            return None
        return Answer(RESPONSE % (ENCODER.encode(data), plan.cost(given), LIMIT, fresh))

    async def run_resolvers(self, plan: Plan, given: dict[str, Any], context: Context) -> Answer:
        assert plan.document and plan.operation
        context.reset()
        try:
            if context.min_position and plan.kind is OperationType.QUERY:
                await self.freshness.wait(context.min_position, ALL_PROJECTIONS)
        except ApiError as error:
            return Answer(ENCODER.encode({"data": None, "errors": [client_error(error).formatted]}))
        fresh = msgspec.Raw(self.freshness.json(ALL_PROJECTIONS))
        name = plan.operation.name.value if plan.operation.name else None
        running = execute(
            self.schema,
            plan.document,
            context_value=context,
            variable_values=given,
            operation_name=name,
            hide_suggestions=not plan.may_introspect,
        )
        result = running if isinstance(running, ExecutionResult) else await running
        log_bugs(result.errors or [], plan.name)
        whole: dict[str, Any] = {}
        if result.data is not None or any(error.path for error in result.errors or ()):
            whole["data"] = result.data
        if result.errors:
            named = (with_served(self.schema, e) if plan.may_introspect else e for e in result.errors)
            whole["errors"] = [client_error(error).formatted for error in named]
        whole["extensions"] = {"cost": {"requested": plan.cost(given), "limit": LIMIT}, "freshness": fresh}
        return Answer(ENCODER.encode(whole), "data" in whole)


def refused(errors: Sequence[GraphQLError]) -> Answer:
    """Returns the response to a request error: nothing was executed."""
    return Answer(ENCODER.encode({"errors": [client_error(error).formatted for error in errors]}), ok=False)
