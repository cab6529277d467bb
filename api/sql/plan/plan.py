"""A prepared operation: parsed and validated once, with one SQL statement for each shape of its variables."""

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues, get_variable_values

from api.limits.cost import OperationCost
from api.sql.plan.selection import Selection
from api.sql.plan.statement import WORKSPACE, NotPlannable, Statement, Writer
from projections import PROJECTIONS

SHAPES = 64  # cached statements of one plan
VIEW = re.compile(r"\bread\.(\w+)")
ABSENT, NULL, GIVEN = "absent", "null", "given"


@dataclass
class Plan:
    """The plan of one operation, for tokens with the same scopes. With `errors` there is nothing to execute."""

    schema: GraphQLSchema
    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    price: OperationCost | None = None
    may_introspect: bool = True  # the caller may read the schema
    errors: tuple[GraphQLError, ...] = ()
    statements: OrderedDict[Hashable, Statement | None] = field(default_factory=OrderedDict)

    @property
    def kind(self) -> OperationType | None:
        """The type of the operation; None with errors."""
        return self.operation.operation if self.operation else None

    def cost(self, given: Mapping[str, Any]) -> int:
        """Returns the most rows that it may read with these variables."""
        return self.price.of(given) if self.price else 0

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation and self.operation.name else None

    @cached_property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        definitions = self.document.definitions if self.document else ()
        return {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}

    def variables(self, given: dict[str, Any]) -> VariableValues | None:
        """Returns the coerced variables; None when they are not valid."""
        if not self.operation or not self.operation.variable_definitions:
            return NONE
        found = get_variable_values(self.schema, self.operation.variable_definitions, given)
        return None if isinstance(found, list) else found

    def statement(self, variables: VariableValues) -> Statement | None:
        """Returns the statement that answers; None when the resolvers must."""
        if self.kind is not OperationType.QUERY:
            return None
        shape = self.shape(variables)
        if shape in self.statements:
            self.statements.move_to_end(shape)
            return self.statements[shape]
        found = self.compile(variables)
        self.statements[shape] = found
        if len(self.statements) > SHAPES:
            self.statements.popitem(last=False)
        return found

    def shape(self, variables: VariableValues) -> Hashable:
        """Returns what the text of a statement depends on: what is given, also inside of inputs; flags and enums."""
        definitions = self.operation.variable_definitions if self.operation else None
        if not definitions:
            return ()
        return tuple(shape_of(variables.coerced.get(d.variable.name.value, ABSENT)) for d in definitions)

    def compile(self, variables: VariableValues) -> Statement | None:
        query = self.schema.query_type
        assert self.operation and query
        writer = Writer(Selection(self.schema, self.fragments, variables))
        try:
            built = writer.object(query, [self.operation.selection_set], "")
        except (NotPlannable, GraphQLError):
            return None
        text = f"SELECT {built}::text WHERE {WORKSPACE} IS NOT NULL"
        return Statement(text.encode(), tuple(writer.reads), frozenset(PROJECTIONS.keys() & VIEW.findall(text)))


NONE = VariableValues({}, {})


def shape_of(value: Any, depth: int = 3) -> Hashable:
    """Returns the shape of a variable. `depth`: of inputs within inputs; what is deeper is a JSON value."""
    if value is ABSENT or isinstance(value, bool | Enum):
        return value
    if isinstance(value, dict) and depth:
        return tuple((name, shape_of(one, depth - 1)) for name, one in value.items())
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return tuple(shape_of(one, depth - 1) for one in value)
    return NULL if value is None else GIVEN
