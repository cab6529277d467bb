"""What an operation costs: the rows that it may read at most, counted on the document before anything is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

LIMIT = 20_000  # rows of one operation
CHANGE = 10  # what a mutation costs at least
PAGE, LARGEST_PAGE = 20, 100
WRAPPERS = ("edges", "node", "nodes", "pageInfo")
KEPT = 64  # prices of one operation, by its page sizes
Given = Mapping[str, Any]


@dataclass
class Count:
    """Rows below a selection. A fragment in itself counts once: it is refused by validation."""

    fragments: Mapping[str, FragmentDefinitionNode]
    given: Given
    known: dict[str, int] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # variables that stand for the size of a page

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
        return size + size * below

    def fragment(self, name: str) -> int:
        if name not in self.known:
            self.known[name] = 0
            if found := self.fragments.get(name):
                self.known[name] = self.rows(found.selection_set)
        return self.known[name]

    def page(self, node: FieldNode) -> int:
        """Rows of one field: as many as `first` or `last` says, the usual page where a list says nothing."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                return self.size(argument.value)
        chosen = node.selection_set.selections if node.selection_set else ()
        listed = any(isinstance(s, FieldNode) and s.name.value in ("edges", "nodes", "totalCount") for s in chosen)
        return PAGE if listed else 1

    def size(self, value: ValueNode) -> int:
        """What is out of range is refused later, whatever it costs."""
        told: Any = None
        if isinstance(value, VariableNode):
            self.asked.add(value.name.value)
            told = self.given.get(value.name.value, LARGEST_PAGE)
        elif isinstance(value, IntValueNode) and len(value.value) < 9:
            told = int(value.value)
        return max(min(told, LARGEST_PAGE), 1) if isinstance(told, int) else LARGEST_PAGE


class Price:
    """Of one operation, for any variables."""

    def __init__(self, operation: OperationDefinitionNode, document: DocumentNode) -> None:
        self.operation = operation
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        first = Count(self.fragments, {})
        changes = operation.operation is OperationType.MUTATION
        self.least = CHANGE * len(operation.selection_set.selections) if changes else 1
        self.most = max(first.rows(operation.selection_set), self.least)
        self.asked = tuple(sorted(first.asked))
        self.known: dict[tuple[Any, ...], int] = {}

    def of(self, given: Given) -> int:
        """At least 1. A variable that is not given counts as the largest page."""
        if not self.asked:
            return self.most
        sizes = tuple(value if isinstance(value := given.get(name), int) else None for name in self.asked)
        if sizes not in self.known:
            if len(self.known) >= KEPT:
                self.known.clear()
            told = {name: size for name, size in zip(self.asked, sizes, strict=True) if size is not None}
            self.known[sizes] = max(Count(self.fragments, told).rows(self.operation.selection_set), self.least)
        return self.known[sizes]


def too_dear(cost: int) -> GraphQLError:
    """What is said of an operation over the limit."""
    return GraphQLError(
        f"This may read {cost} rows, and one operation may read {LIMIT}. Nothing was read. Ask for smaller pages.",
        extensions={"code": "TOO_MUCH", "cost": {"requested": cost, "limit": LIMIT}},
    )
