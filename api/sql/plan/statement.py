"""Writes a statement: its parameters, row aliases and JSON objects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLObjectType, SelectionSetNode, VariableNode, get_named_type
from graphql.execution.values import VariableValues, get_argument_values

from api.sql.plan.selection import Selection

Read = Callable[[VariableValues], str]  # reads a parameter, as text, from a request's variables
Sets = list[SelectionSetNode | None]
WORKSPACE = "$1::uuid"
LONGEST = 63  # bytes of a name in Postgres


class NotPlannable(Exception):
    """The operation has no SQL plan. Resolvers answer the same, or report the error."""


class WorkspaceParameter(NamedTuple):
    """A parameter that also depends on the workspace. Its function may raise NotPlannable."""

    read: Callable[[str, VariableValues], str]


class Statement(NamedTuple):
    """A statement. `reads` return its parameters after the first, the workspace; `projections` are its views."""

    text: bytes
    reads: tuple[Read | WorkspaceParameter, ...]
    projections: frozenset[str]

    def parameters(self, workspace: str, variables: VariableValues) -> list[str]:
        """Returns the parameters for a request. Raises NotPlannable or BadInput."""
        return parameters(self.reads, workspace, variables)


def parameters(reads: Sequence[Read | WorkspaceParameter], workspace: str, variables: VariableValues) -> list[str]:
    """Returns the workspace and what each of `reads` returns. Raises what they raise."""
    values = (
        read.read(workspace, variables) if isinstance(read, WorkspaceParameter) else read(variables) for read in reads
    )
    return [workspace, *values]


@dataclass
class Writer:
    """Numbers parameters and aliases. Of a document only response keys become part of the text."""

    selection: Selection
    reads: list[Read | WorkspaceParameter] = field(default_factory=list)
    rows: int = 0

    def parameter(self, read: Read | WorkspaceParameter) -> str:
        self.reads.append(read)
        return f"${len(self.reads) + 1}"

    def row(self) -> str:
        self.rows += 1
        return f"t{self.rows}"

    def object(
        self,
        kind: GraphQLObjectType,
        sets: Sets,
        row: str,
        parts: "Mapping[str, str | Rule] | None" = None,
        aggregates: bool = False,
    ) -> str:
        """Returns SQL for a JSON object of the selected fields of `kind`: from `parts`, else by their own rules.

        `aggregates`: some fields are aggregates over the surrounding rows. Raises NotPlannable.
        """
        values: dict[str, str] = {}
        for key, nodes in self.selection.fields(kind, sets).items():
            name = nodes[0].name.value
            part = (parts or {}).get(name) or rule_of(kind, name)
            value = part if isinstance(part, str) else part(Site(self, kind.fields[name], nodes, row))
            values[key] = value
        return json_object(values, aggregates)


@dataclass
class Site:
    """A selected field. `nodes` are all its occurrences, `row` is the alias of its row."""

    writer: Writer
    definition: GraphQLField
    nodes: list[FieldNode]
    row: str

    @cached_property
    def given(self) -> dict[str, Any]:
        """The arguments with this request's variables. Only what is part of the plan's shape may be used."""
        return get_argument_values(self.definition, self.nodes[0], self.writer.selection.variables)

    def argument(self, name: str) -> Callable[[VariableValues], Any]:
        """Returns a function that reads an argument from any request's variables."""
        definition, node = self.definition, self.nodes[0]
        value = next((a.value for a in node.arguments or () if a.name.value == name), None)
        if isinstance(value, VariableNode):
            variable, default = value.name.value, self.given.get(name)
            return lambda variables: variables.coerced.get(variable, default)
        if value is None or not mentions_variables(value):
            constant = self.given.get(name)
            return lambda variables: constant
        return lambda variables: get_argument_values(definition, node, variables).get(name)

    @property
    def kind(self) -> GraphQLObjectType:
        named = get_named_type(self.definition.type)
        if not isinstance(named, GraphQLObjectType):
            raise NotPlannable(named.name)
        return named

    @property
    def sets(self) -> Sets:
        return [node.selection_set for node in self.nodes]

    def object(self, row: str, parts: "Mapping[str, str | Rule] | None" = None, aggregates: bool = False) -> str:
        return self.writer.object(self.kind, self.sets, row, parts, aggregates)


Rule = Callable[[Site], str]  # returns the SQL for a field's JSON
PLAN = "plan"  # key of a field's rule in its metadata


def rule_of(kind: GraphQLObjectType, name: str) -> str | Rule:
    """Returns the rule of a field. Raises NotPlannable when only its resolver can answer."""
    if name == "__typename":
        return f"{quote(kind.name)}::text"
    declared = kind.fields[name].extensions.get("strawberry-definition") if name in kind.fields else None
    rule: Rule | None = declared.metadata.get(PLAN) if declared else None
    if rule is None:
        raise NotPlannable(f"{kind.name}.{name}")
    return rule


def json_object(values: Mapping[str, str], aggregates: bool) -> str:
    """Returns SQL for a JSON object.

    `row_to_json` is faster and writes no blanks, but it cannot contain aggregates, and its keys are column names, which
    Postgres truncates to LONGEST bytes.
    """
    if not values:
        return "'{}'::json"
    if aggregates or any(len(key) > LONGEST for key in values):
        pairs = ", ".join(f"{quote(key)} : {value}" for key, value in values.items())
        return f"json_object({pairs} RETURNING json)"
    columns = ", ".join(f'{value} AS "{key}"' for key, value in values.items())
    return f'(SELECT row_to_json("row!") FROM (SELECT {columns}) AS "row!")'  # no field of GraphQL has this name


def mentions_variables(node: Any) -> bool:
    """Tells whether a value in the document contains variables."""
    if isinstance(node, VariableNode):
        return True
    inside = getattr(node, "values", None) or [f.value for f in getattr(node, "fields", None) or ()]
    return any(mentions_variables(part) for part in inside)


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
