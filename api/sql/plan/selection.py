"""The selected fields of an operation by response key, with fragments expanded and @skip and @include applied."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)
from graphql.execution.values import VariableValues, get_directive_values

Fields = dict[str, list[FieldNode]]


@dataclass(frozen=True)
class Selection:
    """Selections of a validated document, where nodes with the same response key have the same field and arguments."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def object_type(self, name: str) -> GraphQLObjectType:
        named = self.schema.type_map[name]
        assert isinstance(named, GraphQLObjectType)
        return named

    def fields(self, kind: GraphQLObjectType, sets: Iterable[SelectionSetNode | None]) -> Fields:
        """Returns the selected fields, in the order in which they first appear, as in the answer."""
        found: Fields = {}
        for selected in sets:
            for node in self.spread(kind, selected.selections if selected else (), set()):
                found.setdefault((node.alias or node.name).value, []).append(node)
        return found

    def spread(self, kind: GraphQLObjectType, nodes: Iterable[SelectionNode], seen: set[str]) -> Iterator[FieldNode]:
        for node in nodes:
            if not self.is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            inside: InlineFragmentNode | FragmentDefinitionNode
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in seen:
                    continue
                seen.add(node.name.value)
                inside = self.fragments[node.name.value]
            elif isinstance(node, InlineFragmentNode):
                inside = node
            if self.applies_to(kind, inside.type_condition.name.value if inside.type_condition else kind.name):
                yield from self.spread(kind, inside.selection_set.selections, seen)

    def is_included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def applies_to(self, kind: GraphQLObjectType, condition: str) -> bool:
        if condition == kind.name:
            return True
        named = self.schema.type_map[condition]
        return is_abstract_type(named) and self.schema.is_sub_type(named, kind)
