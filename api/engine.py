"""What runs an operation: until reads are compiled, strawberry behind the two methods that the HTTP layer calls."""

from typing import Any, NamedTuple

import msgspec
from graphql import GraphQLError, OperationDefinitionNode
from graphql.utilities import get_operation_ast

from api.access import Token
from api.context import Context
from api.errors import Invalid, told
from api.limits.cost import cost
from api.limits.documents import parsed, problems
from api.schema import schema

ENCODER = msgspec.json.Encoder(decimal_format="number")


class Plan(NamedTuple):
    """A document that fits the schema and the limits."""

    document: str
    operation: str | None
    kind: str  # query, mutation or subscription
    cost: int


class Answer(NamedTuple):
    """Finished JSON. `ok`: it holds data."""

    body: bytes
    ok: bool
    headers: list[tuple[bytes, bytes]]


class Engine:
    """Prepares and answers."""

    def prepare(self, document: str, operation: str | None, token: Token) -> Plan:
        """Raises Invalid with all that is wrong."""
        ast = parsed(document)
        if wrong := problems(schema._schema, ast, suggest=True):
            raise Invalid(wrong)
        found = get_operation_ast(ast, operation)
        if not isinstance(found, OperationDefinitionNode):
            raise Invalid([GraphQLError("Which operation? Give the name of one of them in `operationName`.")])
        return Plan(document, operation, found.operation.value, cost(found, ast))

    async def answer(self, plan: Plan, variables: dict[str, Any] | None, context: Context) -> Answer:
        result = await schema.execute(plan.document, variables, context, operation_name=plan.operation)
        whole: dict[str, Any] = {}
        if result.data is not None or any(error.path for error in result.errors or ()):
            whole["data"] = result.data
        if result.errors:
            whole["errors"] = [told(error).formatted for error in result.errors]
        whole["extensions"] = {"cost": {"requested": plan.cost}, **(result.extensions or {})}
        return Answer(ENCODER.encode(whole), "data" in whole, [])
