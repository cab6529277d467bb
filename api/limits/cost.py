"""The cost of an operation: the most rows that it may read, counted on the document before execution."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

LIMIT = 20_000  # rows of one operation
CHANGE = 10  # least cost of a mutation
PAGE, MAX_PAGE = 20, 100
FOLDS = dict.fromkeys(("funnel", "dealsAsOf", "contactsAsOf", "stageTimes"), 1_000)  # they may fold a whole workspace
WRAPPERS = ("edges", "node", "nodes", "pageInfo")
KEPT = 64  # cached costs of one operation, by its page sizes
Given = Mapping[str, Any]


@dataclass
class Count:
    """Counts the rows below a selection. A fragment that contains itself counts once; validation refuses it."""

    fragments: Mapping[str, FragmentDefinitionNode]
    given: Given
    known: dict[str, int] = field(default_factory=dict)
    size_variables: set[str] = field(default_factory=set)  # variables that give the size of a page

    def rows(self, chosen: SelectionSetNode | None) -> int:
        whole = 0
        for node in chosen.selections if chosen else ():
            if isinstance(node, FieldNode):
                whole += self.field(node)
            elif isinstance(node, FragmentSpreadNode):
                whole += self.fragment(node.name.value)
            else:
                whole += self.rows(getattr(node, "selection_set", None))
        return whole

    def field(self, node: FieldNode) -> int:
        if not node.selection_set:
            return 0
        below = self.rows(node.selection_set)
        if node.name.value in WRAPPERS:
            return below
        size = self.page(node)
        return FOLDS.get(node.name.value, 0) + size + size * below

    def fragment(self, name: str) -> int:
        if name not in self.known:
            self.known[name] = 0
            if found := self.fragments.get(name):
                self.known[name] = self.rows(found.selection_set)
        return self.known[name]

    def page(self, node: FieldNode) -> int:
        """Returns the rows of one field: what `first` or `last` says, else the default page size of a list."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                return self.size(argument.value)
        chosen = node.selection_set.selections if node.selection_set else ()
        listed = any(isinstance(s, FieldNode) and s.name.value in ("edges", "nodes", "totalCount") for s in chosen)
        return PAGE if listed else 1

    def size(self, value: ValueNode) -> int:
        """Returns a page size within its range; a size out of range is refused later, whatever it costs."""
        size: Any = None
        if isinstance(value, VariableNode):
            self.size_variables.add(value.name.value)
            size = self.given.get(value.name.value, MAX_PAGE)
        elif isinstance(value, IntValueNode) and len(value.value) < 9:
            size = int(value.value)
        return max(min(size, MAX_PAGE), 1) if isinstance(size, int) else MAX_PAGE


class OperationCost:
    """The cost of one operation, for any variables."""

    def __init__(self, operation: OperationDefinitionNode, document: DocumentNode) -> None:
        self.operation = operation
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        first = Count(self.fragments, {})
        changes = operation.operation is OperationType.MUTATION
        self.least = CHANGE * len(operation.selection_set.selections) if changes else 1
        self.most = max(first.rows(operation.selection_set), self.least)
        self.size_variables = tuple(sorted(first.size_variables))
        roots = root_fields(operation.selection_set, self.fragments) if changes else ()
        self.batches = [a.value for node in roots for a in node.arguments or () if a.name.value == "commands"]
        self.known: dict[tuple[Any, ...], int] = {}

    def of(self, given: Given) -> int:
        """Returns the cost with these variables, at least 1. A missing variable counts as the largest page."""
        return self.of_rows(given) + CHANGE * sum(commands_in(commands, given) for commands in self.batches)

    def of_rows(self, given: Given) -> int:
        """Returns the cost without that of batches."""
        if not self.size_variables:
            return self.most
        sizes = tuple(value if isinstance(value := given.get(name), int) else None for name in self.size_variables)
        if sizes not in self.known:
            if len(self.known) >= KEPT:
                self.known.clear()
            variables = {name: size for name, size in zip(self.size_variables, sizes, strict=True) if size is not None}
            self.known[sizes] = max(Count(self.fragments, variables).rows(self.operation.selection_set), self.least)
        return self.known[sizes]


def root_fields(
    chosen: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], within: tuple[str, ...] = ()
) -> Iterator[FieldNode]:
    """Yields the fields of a selection, also those in fragments."""
    for node in chosen.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in fragments and name not in within:
                yield from root_fields(fragments[name].selection_set, fragments, (*within, name))
        elif isinstance(node, InlineFragmentNode):
            yield from root_fields(node.selection_set, fragments, within)


def commands_in(value: ValueNode, given: Given) -> int:
    """Returns how many commands a batch has."""
    found: Any = given.get(value.name.value) if isinstance(value, VariableNode) else getattr(value, "values", None)
    return len(found) if isinstance(found, (list, tuple)) else 1


def too_expensive(cost: int) -> GraphQLError:
    """Returns the error for an operation over the limit."""
    return GraphQLError(
        f"This operation may read {cost} rows; the limit is {LIMIT}. Nothing was read. Ask for smaller pages.",
        extensions={"code": "TOO_MUCH", "cost": {"requested": cost, "limit": LIMIT}},
    )
