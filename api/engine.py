"""What runs an operation: until reads are compiled, strawberry behind the two methods that the HTTP layer calls."""

from typing import Any, NamedTuple

import msgspec
from graphql import GraphQLError, OperationType
from graphql.utilities import get_operation_ast

from api.access import Token
from api.context import Context
from api.errors import Invalid, told
from api.limits.cost import cost
from api.limits.documents import parsed, problems
from api.schema import schema

ENCODER = msgspec.json.Encoder(decimal_format="number")


class Plan(NamedTuple):
    """A document that fits the schema and the limits, or what is wrong with it."""

    document: str
    name: str | None
    kind: OperationType | None = None
    cost: int = 0
    errors: tuple[GraphQLError, ...] = ()


class Answer(NamedTuple):
    """Finished JSON. `ok`: it holds data."""

    body: bytes
    ok: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Engine:
    """Prepares and answers."""

    def prepare(self, document: str, operation: str | None, token: Token) -> Plan:
        """Never raises: a document that is not to be run gives a plan with `errors`."""
        try:
            ast = parsed(document)
        except Invalid as invalid:
            return Plan(document, operation, errors=tuple(invalid.errors))
        errors = problems(schema._schema, ast, suggest=True)
        found = get_operation_ast(ast, operation)
        if not errors and not found:
            errors = [GraphQLError("Which operation? Give the name of one of them in `operationName`.")]
        if errors or not found:
            return Plan(document, operation, errors=tuple(errors))
        return Plan(document, operation, found.operation, cost(found, ast))

    async def answer(self, plan: Plan, variables: dict[str, Any] | None, context: Context) -> Answer:
        if plan.errors:
            return Answer(ENCODER.encode({"errors": [told(error).formatted for error in plan.errors]}), ok=False)
        result = await schema.execute(plan.document, variables, context, operation_name=plan.name)
        whole: dict[str, Any] = {}
        if result.data is not None or any(error.path for error in result.errors or ()):
            whole["data"] = result.data
        if result.errors:
            whole["errors"] = [told(error).formatted for error in result.errors]
        whole["extensions"] = {"cost": {"requested": plan.cost}, **(result.extensions or {})}
        return Answer(ENCODER.encode(whole), "data" in whole)
