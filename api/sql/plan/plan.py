"""A prepared operation: parsed and checked once, with one statement for each shape of its variables."""

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

from api.limits.cost import Price
from api.sql.plan.selection import Selection
from api.sql.plan.statement import WORKSPACE, Statement, Unfit, Writer

SHAPES = 64  # statements that one plan keeps
VIEW = re.compile(r"\bread\.(\w+)")
ABSENT, NULL, GIVEN = "absent", "null", "given"


@dataclass
class Plan:
    """Of one operation of a document, for one role. With `errors` there is nothing to run."""

    schema: GraphQLSchema
    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    price: Price | None = None
    curious: bool = True  # whoever asks may read the schema
    errors: tuple[GraphQLError, ...] = ()
    statements: OrderedDict[Hashable, Statement | None] = field(default_factory=OrderedDict)

    @property
    def kind(self) -> OperationType | None:
        """Query, mutation or subscription; None with errors."""
        return self.operation.operation if self.operation else None

    def cost(self, given: Mapping[str, Any]) -> int:
        """Rows that it may read at most, with these variables."""
        return self.price.of(given) if self.price else 0

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation and self.operation.name else None

    @cached_property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        definitions = self.document.definitions if self.document else ()
        return {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}

    def variables(self, given: dict[str, Any]) -> VariableValues | None:
        """Coerced; None when they do not fit."""
        if not self.operation or not self.operation.variable_definitions:
            return NONE
        found = get_variable_values(self.schema, self.operation.variable_definitions, given)
        return None if isinstance(found, list) else found

    def statement(self, variables: VariableValues) -> Statement | None:
        """The one that answers; None when the slow path must."""
        if self.kind is not OperationType.QUERY:
            return None
        shape = self.shape(variables)
        if shape in self.statements:
            self.statements.move_to_end(shape)
            return self.statements[shape]
        found = self.written(variables)
        self.statements[shape] = found
        if len(self.statements) > SHAPES:
            self.statements.popitem(last=False)
        return found

    def shape(self, variables: VariableValues) -> Hashable:
        """All that a statement's text depends on: which variables are there, and the value of flags and enums."""
        definitions = self.operation.variable_definitions if self.operation else None
        if not definitions:
            return ()
        return tuple(shape_of(variables.coerced.get(d.variable.name.value, ABSENT)) for d in definitions)

    def written(self, variables: VariableValues) -> Statement | None:
        query = self.schema.query_type
        assert self.operation and query
        writer = Writer(Selection(self.schema, self.fragments, variables))
        try:
            built = writer.object(query, [self.operation.selection_set], "")
        except (Unfit, GraphQLError):
            return None
        text = f"SELECT {built}::text WHERE {WORKSPACE} IS NOT NULL"
        return Statement(text.encode(), tuple(writer.reads), frozenset(VIEW.findall(text)))


NONE = VariableValues({}, {})


def shape_of(value: Any) -> Hashable:
    if value is ABSENT or isinstance(value, bool | Enum):
        return value
    return NULL if value is None else GIVEN
