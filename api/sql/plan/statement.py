"""A statement under construction: its parameters, and the aliases of its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLObjectType, SelectionSetNode, VariableNode, get_named_type
from graphql.execution.values import VariableValues, get_argument_values

from api.sql.plan.selection import Selection

Read = Callable[[VariableValues], str]  # a parameter, as text, of a request's variables
Sets = list[SelectionSetNode | None]
WORKSPACE = "$1::uuid"
LONGEST = 63  # bytes of a name in Postgres


class Unfit(Exception):
    """This operation, or one of its arguments, is for the slow path: it answers the same, or says what is wrong."""


class OfWorkspace(NamedTuple):
    """A parameter that depends on who asks, too. Its function may raise Unfit."""

    read: Callable[[str, VariableValues], str]


class Statement(NamedTuple):
    """`reads` give the parameters behind the workspace, which is the first; `projections` are those that it reads."""

    text: bytes
    reads: tuple[Read | OfWorkspace, ...]
    projections: frozenset[str]

    def parameters(self, workspace: str, variables: VariableValues) -> list[str]:
        """Raises Unfit, or BadInput."""
        return parameters(self.reads, workspace, variables)


def parameters(reads: Sequence[Read | OfWorkspace], workspace: str, variables: VariableValues) -> list[str]:
    """The workspace, then what each reads. Raises what they raise."""
    told = (read.read(workspace, variables) if isinstance(read, OfWorkspace) else read(variables) for read in reads)
    return [workspace, *told]


@dataclass
class Writer:
    """Parameters and aliases are numbered as they are asked for. Of the document only response keys enter the text."""

    selection: Selection
    reads: list[Read | OfWorkspace] = field(default_factory=list)
    rows: int = 0

    def parameter(self, read: Read | OfWorkspace) -> str:
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
        """A JSON object of what is selected of `kind`: each field as `parts` has it, else by its own rule.

        `aggregates`: some of them are aggregates over the rows around.

        Raises Unfit.
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
    """A field where it is selected. `nodes` are all its mentions, `row` is the alias of the row that it belongs to."""

    writer: Writer
    definition: GraphQLField
    nodes: list[FieldNode]
    row: str

    @cached_property
    def given(self) -> dict[str, Any]:
        """The arguments, by this request's variables: only what the plan's shape knows of them may be used."""
        return get_argument_values(self.definition, self.nodes[0], self.writer.selection.variables)

    def argument(self, name: str) -> Callable[[VariableValues], Any]:
        """How to read an argument of another request's variables."""
        definition, node = self.definition, self.nodes[0]
        told = next((a.value for a in node.arguments or () if a.name.value == name), None)
        if isinstance(told, VariableNode):
            variable, default = told.name.value, self.given.get(name)
            return lambda variables: variables.coerced.get(variable, default)
        if told is None or not mentions_variables(told):
            constant = self.given.get(name)
            return lambda variables: constant
        return lambda variables: get_argument_values(definition, node, variables).get(name)

    @property
    def kind(self) -> GraphQLObjectType:
        named = get_named_type(self.definition.type)
        if not isinstance(named, GraphQLObjectType):
            raise Unfit(named.name)
        return named

    @property
    def sets(self) -> Sets:
        return [node.selection_set for node in self.nodes]

    def object(self, row: str, parts: "Mapping[str, str | Rule] | None" = None, aggregates: bool = False) -> str:
        return self.writer.object(self.kind, self.sets, row, parts, aggregates)


Rule = Callable[[Site], str]  # the SQL of a field's JSON
PLAN = "plan"  # under which a field's metadata has its rule


def rule_of(kind: GraphQLObjectType, name: str) -> str | Rule:
    """Raises Unfit when the field is resolved by the slow path only."""
    if name == "__typename":
        return f"{quote(kind.name)}::text"
    declared = kind.fields[name].extensions.get("strawberry-definition") if name in kind.fields else None
    rule: Rule | None = declared.metadata.get(PLAN) if declared else None
    if rule is None:
        raise Unfit(f"{kind.name}.{name}")
    return rule


def json_object(values: Mapping[str, str], aggregates: bool) -> str:
    """`row_to_json` is faster and writes no blanks; its keys are names, of which Postgres cuts off what is over LONGEST
    bytes, and it cannot stand around aggregates."""
    if not values:
        return "'{}'::json"
    if aggregates or any(len(key) > LONGEST for key in values):
        pairs = ", ".join(f"{quote(key)} : {value}" for key, value in values.items())
        return f"json_object({pairs} RETURNING json)"
    columns = ", ".join(f'{value} AS "{key}"' for key, value in values.items())
    return f"(SELECT row_to_json(r) FROM (SELECT {columns}) AS r)"


def mentions_variables(node: Any) -> bool:
    """Of a value in the document."""
    if isinstance(node, VariableNode):
        return True
    inside = getattr(node, "values", None) or [f.value for f in getattr(node, "fields", None) or ()]
    return any(mentions_variables(part) for part in inside)


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
